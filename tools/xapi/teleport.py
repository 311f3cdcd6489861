#!/usr/bin/python3 -I
# SPDX-License-Identifier: LGPL-2.1-or-later
"""XAPI plugin: teleports guests of this host, and looks after its index.

XAPI runs it with one argument, an XML-RPC methodCall, and reads the
methodResponse from its standard output. What takes long becomes a job, a
process of its own that outlives this one; its id is the answer.
See teleport-xapi(7).
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
import types

sys.dont_write_bytecode = True
sys.path.insert(0, '@LIBDIR@')
# pylint: disable=wrong-import-position
from teleport_jobs import (  # noqa: E402
    Failure, JOB, XenAPIPlugin, all_jobs, as_object, describe, failure,
    is_running, job_path, printable, read_file, seen_in, start_job,
    state_failed, tail_of, utc, write_file)
if XenAPIPlugin is None:
    # Half of the time of a call would go into an HTTP client that nobody needs.
    sys.modules.setdefault('http.client', types.ModuleType('http.client'))
import xmlrpc.client  # noqa: E402

SBINDIR = '@SBINDIR@'

# What XAPI hands over is small; a request above this is an attack or a mistake.
MAX_REQUEST = 256 * 1024
MAX_NAME = 255
MAX_GUESTS = 1000
MAX_HOSTS = 64
MAX_PATH = 4096
# Seconds for what is answered at once.
ANSWER_LIMIT = 120
# Of a program's words, what an answer holds.
MAX_SAID = 4000
# The end of a job's output in which its last lines are looked for: a report of
# a guest with many disks, or an evacuation's last event, is far smaller.
TAIL = 1024 * 1024

HOST = re.compile(r'\A(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})(?::[0-9]{1,5})?'
                  r'|[0-9A-Fa-f:]{2,45}|\[[0-9A-Fa-f:]{2,45}\](?::[0-9]{1,5})?)\Z')
WINDOW = re.compile(r'\A[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]\Z')
SECONDS = re.compile(r'\A[0-9]{1,5}(?:\.[0-9]{1,3})?\Z')
RATE = re.compile(r'\A[0-9]{1,8}(?:\.[0-9]{1,3})?(?:[kMG]bit|[kMG]B)\Z')
COUNT = re.compile(r'\A[0-9]{1,3}\Z')


# ---- arguments: XAPI passes what the caller typed ----

def checked(args, known, needed=()):
    """All arguments are known, and those that are needed are there."""
    if not isinstance(args, dict):
        raise failure('TELEPORT_BAD_REQUEST', ['the arguments are no struct'])
    for key, value in args.items():
        if key not in known:
            raise failure('TELEPORT_UNKNOWN_ARGUMENT', [shown(key)])
        if not isinstance(value, str):
            raise failure('TELEPORT_BAD_ARGUMENT', [shown(key), 'not a string'])
    for key in needed:
        if not args.get(key):
            raise failure('TELEPORT_MISSING_ARGUMENT', [key])
    return args


def shown(text):
    """Text from outside as it may stand in an answer."""
    return re.sub(r'[^\x20-\x7e]', '?', str(text))[:100]


def bad(key, why):
    return failure('TELEPORT_BAD_ARGUMENT', [key, why])


def guest_name(args, key):
    name = args[key]
    if not name or len(name.encode('utf-8', 'replace')) > MAX_NAME:
        raise bad(key, 'a name has 1 to %d bytes' % MAX_NAME)
    if name[0] == '-':
        raise bad(key, 'a name does not begin with "-"')
    if re.search(r'[\x00-\x1f\x7f/,\ud800-\udfff]', name):
        raise bad(key, 'a name has no control character, "/" or ","')
    return name


def host_name(key, name):
    if not HOST.match(name):
        raise bad(key, 'not a host, or HOST:PORT')
    return name


def matching(args, key, pattern, what):
    if not pattern.match(args[key]):
        raise bad(key, what)
    return args[key]


def truth(args, key):
    value = args.get(key, 'false').lower()
    if value not in ('true', 'false', '1', '0', 'yes', 'no'):
        raise bad(key, 'true or false')
    return value in ('true', '1', 'yes')


def bwlimit(args):
    if 'bwlimit' not in args:
        return []
    return ['--bwlimit', matching(args, 'bwlimit', RATE, '20Mbit, 512kbit, 12MB')]


def job_id(args):
    if not JOB.match(args['id']):
        raise bad('id', 'not the id of a job')
    return args['id']


# ---- programs ----

def program(name):
    path = os.path.join(SBINDIR, name)
    if not os.access(path, os.X_OK):
        raise failure('TELEPORT_NOT_INSTALLED', [path])
    return path


def ask(argv, limit=ANSWER_LIMIT):
    """Runs what answers at once: its exit code, output and words."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=limit,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
    except subprocess.TimeoutExpired:
        raise failure('TELEPORT_TIMEOUT', [os.path.basename(argv[0]), str(limit)])
    return (done.returncode, done.stdout.decode('utf-8', 'replace'),
            done.stderr.decode('utf-8', 'replace')[-MAX_SAID:])


def program_failed(argv, code, said):
    return failure('TELEPORT_PROGRAM_FAILED',
                   [os.path.basename(argv[0]), str(code), said.strip()])


def last_object(text):
    """The last line that is a JSON object."""
    for line in reversed(text.splitlines()):
        found = as_object(line)
        if found is not None:
            return found
    return None


# ---- the functions ----

def teleport(_session, args):
    checked(args, ('vm', 'to', 'non_live', 'downtime', 'max_downtime',
                   'bwlimit'), ('vm', 'to'))
    vm, to = guest_name(args, 'vm'), host_name('to', args['to'])
    argv = [program('xl-teleport'), '--json']
    if truth(args, 'non_live'):
        argv.append('--non-live')
    for key in ('downtime', 'max_downtime'):
        if key in args:
            argv += ['--' + key.replace('_', '-'),
                     matching(args, key, SECONDS, 'a number of seconds')]
    argv += bwlimit(args)
    return json.dumps({'id': start_job('teleport', vm, argv + ['--', vm, to])})


def plan(_session, args):
    checked(args, ('vm', 'to', 'non_live'), ('vm', 'to'))
    vm, to = guest_name(args, 'vm'), host_name('to', args['to'])
    argv = [program('xl-teleport'), '--json', '--dry-run']
    if truth(args, 'non_live'):
        argv.append('--non-live')
    argv += ['--', vm, to]
    code, out, said = ask(argv)
    report = last_object(out)
    if code not in (0, 3) or report is None:
        raise program_failed(argv, code, said)
    answer = {key: report.get(key) for key in
              ('guest', 'uuid', 'destination', 'problems', 'room', 'disks',
               'disk_bytes')}
    answer['possible'] = code == 0
    return json.dumps(answer)


def seed(_session, args):
    checked(args, ('vm', 'disk', 'to', 'bwlimit'), ('to',))
    if ('vm' in args) == ('disk' in args):
        raise bad('vm', 'either vm or disk is needed')
    to = host_name('to', args['to'])
    ctl = program('teleportctl')
    if 'vm' in args:
        about = guest_name(args, 'vm')
        what = [about]
    else:
        about = args['disk']
        if (len(about) > MAX_PATH or not about.startswith('/')
                or '..' in about.split('/') or printable(about) != about):
            raise bad('disk', 'not the full path of a disk')
        if not os.path.exists(about):
            raise bad('disk', 'no such file or device')
        what = ['--disk', about]
    return json.dumps(
        {'id': start_job('seed', about, [ctl, 'seed', '--json'] + bwlimit(args)
                         + what + [to])})


def evacuate(_session, args):
    checked(args, ('to', 'guests', 'except', 'parallel', 'window', 'at_close',
                   'back', 'home', 'dry_run', 'bwlimit'))
    argv = [program('teleport-evacuate'), '--json']
    if 'to' in args:
        hosts = args['to'].split(',')
        if len(hosts) > MAX_HOSTS:
            raise bad('to', 'more than %d hosts' % MAX_HOSTS)
        argv.append('--to=' + ','.join(host_name('to', host) for host in hosts))
    for key in ('guests', 'except'):
        if key in args:
            names = args[key].split(',')
            if len(names) > MAX_GUESTS:
                raise bad(key, 'more than %d names' % MAX_GUESTS)
            argv.append('--%s=' % key + ','.join(
                guest_name({key: name}, key) for name in names))
    if 'parallel' in args:
        argv += ['--parallel', matching(args, 'parallel', COUNT, 'a number')]
    if 'window' in args:
        argv += ['--window', matching(args, 'window', WINDOW, 'HH:MM-HH:MM')]
    if 'at_close' in args:
        if args['at_close'] not in ('finish', 'cancel'):
            raise bad('at_close', 'finish or cancel')
        argv += ['--at-close', args['at_close']]
    argv += bwlimit(args)
    if 'home' in args:
        argv.append('--home=' + host_name('home', args['home']))
    for key in ('back', 'dry_run'):
        if truth(args, key):
            argv.append('--' + key.replace('_', '-'))
    if truth(args, 'back') == ('to' in args):
        raise bad('to', 'either to or back=true is needed')
    return json.dumps({'id': start_job('evacuate', 'this host', argv)})


def status(_session, args):
    checked(args, ('id',), ('id',))
    job = job_id(args)
    answer = describe(job)
    lines = tail_of(job_path(job, 'out'), TAIL).splitlines()
    progress, report = seen_in(lines)
    if progress is not None and answer['state'] == 'running':
        now = progress['progress']
        answer['phase'] = now.get('phase')
        answer['eta_seconds'] = now.get('eta_seconds')
        if now.get('total'):
            answer['percent'] = round(100.0 * now['done'] / now['total'], 1)
    if report is not None and 'event' in report:  # of an evacuation
        answer['event'] = report
        if answer['fn'] == 'evacuate' and report.get('of'):
            answer['percent'] = round(100.0 * report['ended'] / report['of'], 1)
    if answer['state'] != 'running':
        answer['percent'] = 100.0 if answer['state'] == 'done' else None
        answer['report'] = report
        answer['said'] = printable(
            tail_of(job_path(job, 'err'), MAX_SAID).strip())
    return json.dumps(answer)


def cancel(_session, args):
    checked(args, ('id',), ('id',))
    job = job_id(args)
    now = describe(job)
    if now['state'] != 'running':
        raise failure('TELEPORT_JOB_OVER', [job, now['state']])
    who = read_file(job_path(job, 'program'))
    try:
        write_file(job_path(job, 'cancelled'), {'at': utc('%Y-%m-%dT%H:%M:%SZ')})
        if is_running(who):
            os.kill(who['pid'], signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has ended by itself
    except OSError as cause:
        raise state_failed(cause)
    return json.dumps(now)


def jobs(_session, args):
    checked(args, ())
    # One that another call is just making has a folder and no name yet.
    return json.dumps([describe(job) for job in all_jobs()
                       if os.path.exists(job_path(job, 'job'))])


def index_stat(_session, args):
    checked(args, ())
    argv = [program('teleportctl'), 'index', 'stat', '--json']
    code, out, said = ask(argv)
    try:
        if code != 0:
            raise ValueError
        return json.dumps(json.loads(out))
    except (ValueError, RecursionError):
        raise program_failed(argv, code, said)


TABLE = {'teleport': teleport, 'plan': plan, 'status': status,
         'cancel': cancel, 'jobs': jobs, 'seed': seed, 'evacuate': evacuate,
         'index_stat': index_stat}


# ---- XAPI's convention ----

def read_request(argv):
    """The function's name, and session and arguments."""
    if len(argv) != 2:
        raise failure('TELEPORT_BAD_REQUEST', ['one argument is expected'])
    text = argv[1]
    # A document type can make a few bytes into gigabytes; XAPI sends none.
    if len(text) > MAX_REQUEST or '<!' in text:
        raise failure('TELEPORT_BAD_REQUEST', ['too long, or not plain XML'])
    try:
        params, name = xmlrpc.client.loads(text)
    except Exception as cause:  # the parser has many ways to complain
        raise failure('TELEPORT_BAD_REQUEST',
                      ['not an XML-RPC methodCall: %s' % shown(cause)])
    if not isinstance(name, str) or len(params) != 2:
        raise failure('TELEPORT_BAD_REQUEST',
                      ['not a methodCall with a session and arguments'])
    return name, params


def answer(struct):
    print(xmlrpc.client.dumps((struct,), '', True))


def refuse(params):
    answer({'Status': 'Failure', 'ErrorDescription': params})


def main():
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')
    try:
        name, (session, args) = read_request(sys.argv)
    except Failure as cause:
        refuse(cause.params)
        return
    if name not in TABLE:
        refuse(['UNKNOWN_XENAPI_PLUGIN_FUNCTION', printable(shown(name))])
    elif XenAPIPlugin is not None:
        XenAPIPlugin.dispatch(TABLE)
    else:
        try:
            answer({'Status': 'Success', 'Value': TABLE[name](session, args)})
        except Failure as cause:
            refuse(cause.params)
        except Exception as cause:  # pylint: disable=broad-except
            refuse(['XENAPI_PLUGIN_FAILURE', name, cause.__class__.__name__,
                    printable(cause)])


if __name__ == '__main__':
    main()
