"""One Python process that does many small things on demand: a JSON request per line in, an answer per line out.

Starting Python and importing ZODB takes a quarter of a second, and the random histories need some hundred
actions, so they share this process. Requests name a function of the table below by `do`.
"""

import io
import json
import logging
import os
import sys
import traceback

import blobs
import grow
import history
import indexes
from clocks import fix_repozo_clock
from ZODB.scripts import repozo


def original(argv, now, cwd=None):
    """Run repozo's own main and report what a shell would see of it."""
    fix_repozo_clock(repozo, now)
    repozo.VERBOSE = False
    saved = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    if cwd:
        os.chdir(cwd)
    try:
        try:
            repozo.main(argv)
            code = 0
        except SystemExit as leaving:
            code = leaving.code
            if code is None:
                code = 0
            elif not isinstance(code, int):
                print(code, file=sys.stderr)
                code = 1
        except Exception:
            traceback.print_exc()
            code = 1
        return {'code': code, 'stdout': sys.stdout.getvalue(), 'stderr': sys.stderr.getvalue()}
    finally:
        sys.stdout, sys.stderr = saved


ACTIONS = {
    'original': original,
    'create': grow.create,
    'commit': grow.commit,
    'undo': grow.undo,
    'pack': grow.pack,
    'leave_tail': grow.leave_tail,
    'finish_tail': grow.finish_tail,
    'end_of_history': grow.end_of_history,
    'index_differences': indexes.differences,
    'index_against_scan': indexes.against_scan,
    'history': history.tell,
    'blobs_open': blobs.blobs_open,
    'blobs_commit': blobs.blobs_commit,
    'blobs_undo': blobs.blobs_undo,
    'blobs_pack': blobs.blobs_pack,
    'blobs_pack_aside': blobs.blobs_pack_aside,
    'blobs_packed': blobs.blobs_packed,
    'blobs_run': blobs.blobs_run,
    'blobs_more': blobs.blobs_more,
    'blobs_rest': blobs.blobs_rest,
    'blobs_half': blobs.blobs_half,
    'blobs_finish': blobs.blobs_finish,
    'blobs_close': blobs.blobs_close,
    'blobs_judge': blobs.blobs_judge,
}


def main():
    # FileStorage's own warnings about odd tails are no messages of repozo.
    logging.getLogger('ZODB').addHandler(logging.NullHandler())
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {'ok': ACTIONS[request.pop('do')](**request)}
        except Exception:
            answer = {'failed': traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    main()
