"""Runs repozo's own test suite, from the installed ZODB, with `highwater repozo` in place of repozo's functions.

As a command:  dropin_suite.py BINARY
Prints one JSON document: how many tests there are, which ran, which failed and how, which were left out and why.
Nothing of the suite is copied; its classes are subclassed and repozo's functions patched while a test runs. A test
that never called the binary counts as failed.
"""

import json
import random
import sys
import unittest
from unittest import mock

import dropin_options
import dropin_shim as shim
from dropin_fixture import Fixture
from ZODB.scripts import repozo
from ZODB.scripts.tests import test_repozo as upstream


INNER = 'a function of two Python objects that no command line reaches'

# Test class -> the functions replaced while its tests run.
DRIVEN = {
    'Test_parseargs': {'parseargs': dropin_options.parseargs},
    'Test_gen_filename': {'gen_filename': shim.gen_filename},
    'Test_find_files': {'find_files': shim.find_files},
    'Test_scandat': {'scandat': shim.scandat},
    'Test_delete_old_backups': {'delete_old_backups': shim.delete_old_backups},
    'Test_do_full_backup': {'do_full_backup': shim.do_full_backup},
    'Test_do_incremental_backup': {'do_incremental_backup': shim.do_incremental_backup},
    'Test_do_recover': {'do_recover': shim.do_recover},
    'Test_do_verify': {'do_verify': shim.do_verify},
    'MonteCarloTests': {'main': shim.main},
}

# What cannot be driven by a command line: a whole class or one test, and why.
LEFT_OUT = {
    'Test_dofile': INNER,
    'Test_checksum': INNER,
    'Test_copyfile': INNER,
    'Test_concat': INNER,
    'Test_gen_filename.test_explicit_ext': 'no backup makes a file with the extension .txt',
    'Test_scandat.test_single_line': 'its line names no data file and no MD5; a command refuses it before it tells it',
    'Test_scandat.test_multiple_lines': 'as test_single_line',
    'Test_do_incremental_backup.test_dont_overwrite_existing_file': 'asks for an increment in a repository without a full; the command makes a full there',
    'Test_do_incremental_backup.test_no_changes': 'asks for an empty increment, which is defect 1 of the original; we never write one',
}


def driven(case):
    """A subclass of one of the suite's classes whose tests run with the functions replaced."""
    replaced = DRIVEN[case.__name__]

    def run(self, result=None):
        before = shim.Binary.calls
        with mock.patch.multiple(repozo, **replaced):
            case.run(self, result)
        if shim.Binary.calls == before:
            unproven = AssertionError('the test never called the binary')
            result.addFailure(self, (AssertionError, unproven, None))

    return type(case.__name__, (case,), {'run': run})


def every_test():
    """(class, name) of every test that the suite itself would run."""

    def walk(suite):
        for test in suite:
            if isinstance(test, unittest.TestSuite):
                yield from walk(test)
            else:
                yield type(test), test._testMethodName

    return list(walk(upstream.test_suite()))


def main(binary):
    shim.Binary.path = binary
    Fixture.prepare()
    random.seed(20)
    chosen, left_out, unknown = unittest.TestSuite(), {}, []
    tests = every_test()
    for case, name in tests:
        full_name = '%s.%s' % (case.__name__, name)
        reason = LEFT_OUT.get(full_name) or LEFT_OUT.get(case.__name__)
        if reason:
            left_out[full_name] = reason
        elif case.__name__ in DRIVEN:
            chosen.addTest(driven(case)(name))
        else:
            unknown.append(full_name)
    result = unittest.TestResult()
    chosen.run(result)
    failed = {test.id().split('.', 1)[1]: trace for test, trace in result.failures + result.errors}
    print(
        json.dumps(
            {
                'suite': len(tests),
                'ran': result.testsRun,
                'skipped': len(result.skipped),
                'calls': shim.Binary.calls,
                'failed': failed,
                'left_out': left_out,
                'unknown': unknown,
            },
            indent=1,
        )
    )


if __name__ == '__main__':
    main(sys.argv[1])
