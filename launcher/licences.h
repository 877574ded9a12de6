/* licences.h: the licence texts of all that is inside (OX_KEY_LICENCES), for who runs the executable with
 * --oxcross-licenses. */
#ifndef OX_LICENCES_H
#define OX_LICENCES_H

/* Prints them: the process's exit status. Ends the process when they are damaged. */
int ox_licences_print(void);

#endif
