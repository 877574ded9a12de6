#include "python_platform.h"

wchar_t *ox_decode(const char *text)
{
    return Py_DecodeLocale(text, NULL);
}

PyStatus ox_preinitialize(const PyPreConfig *config, int argc, char **argv)
{
    return Py_PreInitializeFromBytesArgs(config, argc, argv);
}

PyStatus ox_set_arguments(PyConfig *config, int argc, char **argv)
{
    return PyConfig_SetBytesArgv(config, argc, argv);
}

bool ox_set_platform_attributes(void)
{
    return true;
}
