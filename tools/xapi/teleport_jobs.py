# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs of the XAPI plugin: what takes longer than a call. Also its failures.

A job is a folder JOBS/ID: `job` (what it is), `keeper` and `program` (the
processes that run it), `out` and `err` (the program's output), `cancelled` (a
mark) and `end` (its exit code). A keeper process, in a session of its own, waits
for the program and writes `end`; so a job outlives the plugin's process, and one
without `end` and without a keeper was lost, in a crash of the host say.
"""

import fcntl
import json
import os
import re
import subprocess
import time

try:  # XAPI's own, where this is one of its hosts
    import XenAPIPlugin
except ImportError:
    XenAPIPlugin = None

JOBS = '@STATEDIR@/jobs'
JOB = re.compile(r'\A[0-9]{14}-[0-9a-f]{12}\Z')
# Jobs that run at once, and finished ones that are kept for their reports.
MAX_RUNNING = 32
MAX_KEPT = 200


if XenAPIPlugin is not None:
    Failure = XenAPIPlugin.Failure
else:
    class Failure(Exception):
        """An API error with our own code and parameters."""

        def __init__(self, code, params):
            Exception.__init__(self)
            self.params = [code] + params

        def __str__(self):
            return str(self.params)


def failure(code, params):
    return Failure(code, [printable(text) for text in params])


def printable(text):
    """Without what XML cannot carry."""
    return re.sub(r'[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]', '?', str(text))


def as_object(line):
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# ---- jobs: a folder each, JOBS/ID with job, pid, out, err, end ----

def job_path(job, name=''):
    return os.path.join(JOBS, job, name) if name else os.path.join(JOBS, job)


def state_failed(cause):
    return failure('TELEPORT_STATE_UNUSABLE', [JOBS, str(cause)])


def write_file(path, value):
    """Whole or not at all."""
    with open(path + '.new', 'w') as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + '.new', path)


def read_file(path):
    try:
        with open(path) as file:
            return as_object(file.read())
    except FileNotFoundError:
        return None


def process_start(pid):
    """When a process began, in the kernel's ticks: with its number its name for
    good. None when it is not there, or has ended and waits to be reaped."""
    try:
        with open('/proc/%d/stat' % pid) as file:
            fields = file.read().rpartition(')')[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] == 'Z' else int(fields[19])


def is_running(who):
    return who is not None and process_start(who['pid']) == who['start']


def all_jobs():
    try:
        names = sorted(name for name in os.listdir(JOBS) if JOB.match(name))
    except FileNotFoundError:
        return []
    except OSError as cause:
        raise state_failed(cause)
    return names


def state_of(job):
    """'running', 'done', 'failed', 'cancelled' or 'lost'; and how it ended."""
    end = read_file(job_path(job, 'end'))
    if end is None and any(is_running(read_file(job_path(job, name)))
                           for name in ('keeper', 'program')):
        return 'running', None
    end = end or read_file(job_path(job, 'end'))  # it may have ended just now
    if end is None:
        return 'lost', None
    if end['code'] == 0:
        return 'done', end
    # 4 and 5: the guest has moved, or nobody knows. A cancel came too late.
    cancelled = (os.path.exists(job_path(job, 'cancelled'))
                 and end['code'] not in (4, 5))
    return ('cancelled' if cancelled else 'failed'), end


def drop_old(jobs):
    """Of jobs that are over, the newest stay."""
    over = [job for job in jobs if state_of(job)[0] != 'running']
    for job in over[:max(0, len(over) - MAX_KEPT)]:
        for name in os.listdir(job_path(job)):
            os.unlink(job_path(job, name))
        os.rmdir(job_path(job))


def start_job(function, about, argv):
    """Starts a job and returns its id. `about` says which jobs exclude it."""
    try:
        os.makedirs(JOBS, mode=0o700, exist_ok=True)
        turn = os.open(JOBS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as cause:
        raise state_failed(cause)
    try:
        # Two calls at once would both find no other job for this guest.
        fcntl.flock(turn, fcntl.LOCK_EX)
        return start_in_turn(function, about, argv)
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)  # a keeper may have a copy for a moment
        os.close(turn)


def start_in_turn(function, about, argv):
    jobs = all_jobs()
    running = [job for job in jobs if state_of(job)[0] == 'running']
    for job in running:
        other = read_file(job_path(job, 'job')) or {}
        if other.get('about') == about:
            raise failure('TELEPORT_BUSY', [about, job])
    if len(running) >= MAX_RUNNING:
        raise failure('TELEPORT_TOO_MANY_JOBS', [str(MAX_RUNNING)])
    job = '%s-%s' % (utc('%Y%m%d%H%M%S'), os.urandom(6).hex())
    try:
        drop_old(jobs)
        os.makedirs(job_path(job), mode=0o700)
        write_file(job_path(job, 'job'),
                   {'fn': function, 'about': about, 'argv': argv,
                    'started': utc('%Y-%m-%dT%H:%M:%SZ')})
        keep_job(job, argv)
    except OSError as cause:
        raise state_failed(cause)
    return job


def utc(form):
    return time.strftime(form, time.gmtime())


def keep_job(job, argv):
    """Forks the keeper of a job: it runs the program in a session of its own
    and writes down how it ended. Returns once the job can be seen to run."""
    seen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(seen)
            os.setsid()
            if os.fork() == 0:  # so that nobody has to wait for it
                keeper(job, argv, tell)
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(seen) as pipe:
        answer = pipe.read()
    if answer != 'ok':
        raise OSError(answer or 'the job did not start')


def keeper(job, argv, tell):
    # XAPI waits until nobody has its pipe open any more.
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    for name in os.listdir('/proc/self/fd'):
        if int(name) not in (0, 1, 2, tell):
            try:
                os.close(int(name))
            except OSError:
                pass  # the listing's own, closed by now
    try:
        write_file(job_path(job, 'keeper'),
                   {'pid': os.getpid(), 'start': process_start(os.getpid())})
        with open(job_path(job, 'out'), 'wb') as out, \
                open(job_path(job, 'err'), 'wb') as err:
            run = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, close_fds=True, cwd='/')
        write_file(job_path(job, 'program'),
                   {'pid': run.pid, 'start': process_start(run.pid)})
    except OSError as cause:
        os.write(tell, str(cause).encode('utf-8', 'replace'))
        return
    os.write(tell, b'ok')
    os.close(tell)
    code = run.wait()
    write_file(job_path(job, 'end'),
               {'code': code, 'ended': utc('%Y-%m-%dT%H:%M:%SZ')})


def tail_of(path, limit):
    try:
        with open(path, 'rb') as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - limit))
            return file.read().decode('utf-8', 'replace')
    except FileNotFoundError:
        return ''


def seen_in(lines):
    """The newest progress and the newest other object of a job's output."""
    progress = report = None
    for line in reversed(lines):
        found = as_object(line)
        if found is None:
            continue
        if 'progress' in found:
            progress = progress or found
        else:
            report = report or found
        if progress is not None and report is not None:
            break
    return progress, report


def describe(job):
    about = read_file(job_path(job, 'job'))
    if about is None:
        raise failure('TELEPORT_UNKNOWN_JOB', [job])
    state, end = state_of(job)
    answer = {'id': job, 'fn': about['fn'], 'about': about['about'],
              'started': about['started'], 'state': state}
    if end is not None:
        answer['exit_code'] = end['code']
        answer['ended'] = end['ended']
    return answer
