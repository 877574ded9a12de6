"""``python -m test`` that also writes what became of every test: ``record.py RESULTS [arguments of regrtest]``.

RESULTS gets a JSON document a line, as things happen, so that a crash keeps what came before. For a test
``{"id", "outcome", "text"}``: passed, failed, error, skipped, expected-failure or unexpected-success, with the traceback
or the reason. For a whole file ``{"file", "state"}`` with regrtest's own word for it.
"""

import json
import os
import sys
import unittest

from test.libregrtest import logger, main, testresult
from test.support import os_helper


def record(path):
    """Let regrtest write to the file at ``path``, opened anew for each line: tests close and replace descriptors."""

    def write(**line):
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(json.dumps(line) + "\n")

    def name(test):
        test = test.test_case if isinstance(test, unittest.case._SubTest) else test
        return test.id() if callable(test.id) else unittest.TestCase.id(test)  # some tests have an id of their own

    class Result(testresult.RegressionTestResult):
        def addSuccess(self, test):
            write(id=name(test), outcome="passed", text="")
            super().addSuccess(test)

        def addSkip(self, test, reason):
            write(id=name(test), outcome="skipped", text=str(reason))
            super().addSkip(test, reason)

        def addError(self, test, err):
            write(id=name(test), outcome="error", text=self._exc_info_to_string(err, test))
            super().addError(test, err)

        def addFailure(self, test, err):
            write(id=name(test), outcome="failed", text=self._exc_info_to_string(err, test))
            super().addFailure(test, err)

        def addSubTest(self, test, subtest, err):
            if err is not None:
                outcome = "failed" if issubclass(err[0], test.failureException) else "error"
                text = f"{subtest._subDescription()}\n{self._exc_info_to_string(err, test)}"
                write(id=name(test), outcome=outcome, text=text)
            super().addSubTest(test, subtest, err)

        def addExpectedFailure(self, test, err):
            write(id=name(test), outcome="expected-failure", text="")
            super().addExpectedFailure(test, err)

        def addUnexpectedSuccess(self, test):
            write(id=name(test), outcome="unexpected-success", text="")
            super().addUnexpectedSuccess(test)

    run = main.run_single_test

    def run_single_test(test_name, runtests):
        result = run(test_name, runtests)
        write(file=test_name, state=result.state)
        return result

    testresult.RegressionTestResult = Result
    main.run_single_test = run_single_test
    if sys.platform == "win32":  # under wine 8:
        logger.Logger.start_load_tracker = lambda self: None  # it has no HKEY_PERFORMANCE_DATA
        os_helper._can_symlink = False  # CreateSymbolicLinkW says that it made one, and did not


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.path.isabs(sys.argv[1]):
        # Tests start sys.executable with all kinds of arguments, and what oxcross does not take for Python's is ours.
        sys.exit(f"record.py: not the path of a file for results: {sys.argv[1:]}")
    sys.dont_write_bytecode = False  # so in executables; what an application may ask for is to be tested, too
    record(sys.argv.pop(1))
    main.main()
