"""A git repository that is committed to, packed and pruned without pause, and a judge of its copies.

As a command:  git_store.py write STORE [--rate N]
               git_store.py judge COPY [--acknowledged N]
Commit i of `main` is the i-th of its history, and its file `count` says so; it is acknowledged once the branch is at it.
Branches with commits of their own come and go, so that pruning removes objects that were named a moment ago.
"""

import glob
import os
import subprocess

from store_rows import Bad
from store_rows import Pace
from store_rows import main
from store_rows import say


NOBODY = {
    'GIT_CONFIG_GLOBAL': os.devnull,
    'GIT_CONFIG_NOSYSTEM': '1',
    'GIT_AUTHOR_NAME': 'writer',
    'GIT_AUTHOR_EMAIL': 'writer@example.org',
    'GIT_COMMITTER_NAME': 'writer',
    'GIT_COMMITTER_EMAIL': 'writer@example.org',
}


class Repository:
    """A bare repository, spoken to by git itself."""

    def __init__(self, folder):
        self.folder = folder

    def git(self, *words, text=None, check=True):
        run = subprocess.run(
            ['git', '--git-dir', self.folder, *words],
            input=text,
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, **NOBODY},
        )
        if check and run.returncode:
            raise Bad('git %s: %s' % (' '.join(words), (run.stderr or run.stdout).strip()[-400:]))
        return run.stdout.strip()

    def commit(self, text, parent):
        """A commit of one file and a folder with some others; nothing names it yet."""
        count = self.git('hash-object', '-w', '--stdin', text=text + '\n')
        notes = self.git('hash-object', '-w', '--stdin', text=(text + '\n') * 400)
        inner = self.git('mktree', text='100644 blob %s\tnotes\n100644 blob %s\tagain\n' % (notes, count))
        tree = self.git('mktree', text='100644 blob %s\tcount\n040000 tree %s\tinner\n' % (count, inner))
        return self.git('commit-tree', tree, '-m', text, *(['-p', parent] if parent else []))


def begin(repository):
    if not os.path.exists(os.path.join(repository.folder, 'HEAD')):
        os.makedirs(os.path.dirname(os.path.abspath(repository.folder)), exist_ok=True)
        repository.git('init', '--quiet', '--bare', '--initial-branch=main')
        repository.git('config', 'gc.auto', '0')
        repository.git('config', 'core.logAllRefUpdates', 'true')
        # It would name commits of branches that are gone and pruned later, which git's own check calls damage.
        repository.git('config', 'gc.writeCommitGraph', 'false')
        repository.git('update-ref', 'refs/heads/main', repository.commit('1', None))
        say(1)
        return
    # What a killed git leaves; nobody else writes here.
    for pattern in ('*.lock', '*.pid', '*.new', 'refs/**/*.lock', 'objects/**/*.lock'):
        for path in glob.glob(os.path.join(glob.escape(repository.folder), pattern), recursive=True):
            os.unlink(path)


def write_store(given):
    repository = Repository(given.folder)
    begin(repository)
    head = repository.git('rev-parse', 'refs/heads/main')
    last = int(repository.git('rev-list', '--count', head))
    pace = Pace(given.rate)
    while True:
        pace.wait()
        last += 1
        fresh = repository.commit(str(last), head)
        repository.git('update-ref', 'refs/heads/main', fresh, head)
        head = fresh
        say(last)
        between(repository, last, head)


def between(repository, last, head):
    """Branches and housekeeping, all at times of their own."""
    if last % 3 == 0:
        repository.git('update-ref', 'refs/heads/topic/%d' % last, repository.commit('topic %d' % last, head))
    if last % 3 == 1 and last > 9:
        repository.git('update-ref', '-d', 'refs/heads/topic/%d' % (last - 7))
    if last % 7 == 0:
        repository.git('pack-refs', '--all', '--prune')
    if last % 11 == 0:
        # What was written in this very second is pruned as well.
        repository.git('reflog', 'expire', '--expire=now', '--all')
        repository.git('prune', '--expire=now')
    if last % 13 == 0:
        repository.git('commit-graph', 'write', '--stdin-commits', text=head + '\n')
    if last % 16 == 0:
        repository.git('repack', '-a', '-d', '-q')
    if last % 41 == 0:
        repository.git('gc', '--quiet', '--prune=now')


def judge_copy(given):
    if not os.path.isfile(os.path.join(given.folder, 'HEAD')):
        raise Bad('the copy has no HEAD')
    repository = Repository(given.folder)
    # Dangling objects are no damage: a commit that was not named yet leaves them.
    told = repository.git('fsck', '--full', '--strict', '--no-dangling')
    if told:
        raise Bad('git fsck said: %s' % told[-400:])
    history = repository.git('rev-list', 'refs/heads/main').split()
    if repository.git('cat-file', '-p', 'refs/heads/main:count') != str(len(history)):
        raise Bad('the history of main has %d commits' % len(history))
    for branch in repository.git('for-each-ref', '--format=%(refname)').split():
        repository.git('rev-list', '--objects', '--quiet', branch)
    return len(history)


if __name__ == '__main__':
    main(write_store, judge_copy)
