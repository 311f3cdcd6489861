# SPDX-License-Identifier: LGPL-2.1-or-later
"""The calls of test/cli/xapi_plugin.sh, which has set up the folder it names.

Each call runs the plugin itself, and wants what XAPI wants: exit code 0, nothing
on standard error, one methodResponse on standard output.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xmlrpc.client

ROOT = sys.argv[1]
PLUGIN = ROOT + '/plugins/teleport.py'
NO_JOB = '20260101000000-0123456789ab'


def path(name):
    return os.path.join(ROOT, name)


def raw(*argv):
    """One run of the plugin: the answer's struct."""
    done = subprocess.run([PLUGIN] + list(argv), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b''), done
    (answer,), name = xmlrpc.client.loads(done.stdout)
    assert name is None
    if answer['Status'] == 'Success':
        assert set(answer) == {'Status', 'Value'}
        assert isinstance(answer['Value'], str)
    else:
        assert set(answer) == {'Status', 'ErrorDescription'}
        assert answer['Status'] == 'Failure'
        assert all(isinstance(text, str) for text in answer['ErrorDescription'])
    return answer


def request(function, args):
    return xmlrpc.client.dumps(('OpaqueRef:1', args), function)


def fails(code, answer):
    """It is this failure; gives its parameters."""
    assert answer['Status'] == 'Failure', answer
    assert answer['ErrorDescription'][0] == code, (code, answer)
    return answer['ErrorDescription'][1:]


def call(function, **args):
    return raw(request(function, args))


def value(function, **args):
    answer = call(function, **args)
    assert answer['Status'] == 'Success', (function, args, answer)
    return json.loads(answer['Value'])


def refused(code, function, **args):
    return fails(code, call(function, **args))


def equal(found, wanted):
    assert found == wanted, '%r is not %r' % (found, wanted)


def until(what, reached):
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, 'waited for: ' + what
        time.sleep(0.05)


def until_over(job):
    until('the end of ' + job,
          lambda: value('status', id=job)['state'] != 'running')
    return value('status', id=job)


def arguments(program):
    """Those of its last run."""
    with open(path('sbin/%s.arguments' % program)) as file:
        return re.findall('<(.*?)>', file.read(), re.DOTALL)


def replace(file, pattern, text):
    with open(path(file)) as old:
        changed, count = re.subn(pattern, text, old.read(), flags=re.MULTILINE)
    equal(count, 1)
    with open(path(file), 'w') as new:
        new.write(changed)


def no_calls():
    fails('TELEPORT_BAD_REQUEST', raw())
    fails('TELEPORT_BAD_REQUEST', raw('a', 'b'))
    good = request('jobs', {})
    deep = '<array><data><value>' * 2000
    for text in (
            '', 'hello', '<methodCall>', '<a/>', good[:-20],
            '<methodCall><methodName>jobs</methodName></methodCall>',
            '<methodCall><params/></methodCall>',
            '<methodResponse><params><param><value>x</value></param></params>'
            '</methodResponse>',
            xmlrpc.client.dumps(xmlrpc.client.Fault(1, 'x')),
            '<!DOCTYPE a [<!ENTITY b "c">]>' + good,
            good.replace('<struct>', '<value>' + deep),
            xmlrpc.client.dumps(('s', {}, {}), 'jobs'),
            xmlrpc.client.dumps(('s', [1]), 'jobs'),
            good + ' ' * 100000 + 'x'):
        fails('TELEPORT_BAD_REQUEST', raw(text))
    for name in ('nothing', '__class__', 'jobs;id', 'x' * 5000):
        refused('UNKNOWN_XENAPI_PLUGIN_FUNCTION', name)
    fails('TELEPORT_BAD_ARGUMENT', raw(request('status', {'id': 7})))
    fails('TELEPORT_BAD_ARGUMENT', raw(request('status', {'id': ['x']})))


def bad_arguments():
    equal(refused('TELEPORT_MISSING_ARGUMENT', 'teleport', vm='a'), ['to'])
    refused('TELEPORT_MISSING_ARGUMENT', 'teleport', vm='', to='host2')
    refused('TELEPORT_MISSING_ARGUMENT', 'status')
    fails('TELEPORT_UNKNOWN_ARGUMENT', raw(request(
        'teleport', {'vm': 'a', 'to': 'b', '--config': '/etc/shadow'})))
    refused('TELEPORT_UNKNOWN_ARGUMENT', 'jobs', x='y')
    for name in ('-n', '--help', 'a/b', 'a\nb', 'a\tb', 'a' * 300, 'a,b',
                 'a\x7f'):
        refused('TELEPORT_BAD_ARGUMENT', 'teleport', vm=name, to='host2')
    refused('TELEPORT_BAD_ARGUMENT', 'plan', vm='--help', to='host2')
    for host in ('-h', '--help', 'a b', 'a;b', '$(id)', 'h/x', 'h\n', 'h:port',
                 'a' * 300, 'root@h', 'h,g', '[::1', "h'"):
        refused('TELEPORT_BAD_ARGUMENT', 'teleport', vm='a', to=host)
    for more in ({'non_live': 'perhaps'}, {'downtime': '-1'},
                 {'downtime': '1e9'}, {'max_downtime': '1 --json'},
                 {'bwlimit': 'off'}, {'bwlimit': '-1kB'}, {'bwlimit': '1'}):
        refused('TELEPORT_BAD_ARGUMENT', 'teleport', vm='a', to='h', **more)
    for args in ({}, {'to': 'h', 'back': 'true'}, {'to': 'h,-x'}, {'to': 'h,'},
                 {'to': 'h', 'guests': 'a,,b'}, {'to': 'h', 'except': '-x'},
                 {'to': 'h', 'guests': '--all'},
                 {'to': 'h', 'parallel': '1000'}, {'to': 'h', 'window': 'now'},
                 {'to': 'h', 'at_close': 'never'},
                 {'to': ','.join(['h'] * 100)},
                 {'to': 'h', 'guests': ','.join(['g'] * 2000)},
                 {'back': 'true', 'home': '-x'}):
        refused('TELEPORT_BAD_ARGUMENT', 'evacuate', **args)
    for job in ('../../etc', 'x', NO_JOB[:-1], NO_JOB + '/..', NO_JOB + '\n'):
        refused('TELEPORT_BAD_ARGUMENT', 'status', id=job)
        refused('TELEPORT_BAD_ARGUMENT', 'cancel', id=job)
    refused('TELEPORT_UNKNOWN_JOB', 'status', id=NO_JOB)
    refused('TELEPORT_UNKNOWN_JOB', 'cancel', id=NO_JOB)
    equal([name for name in os.listdir(path('sbin')) if 'arguments' in name], [])
    equal(value('jobs'), [])


def answers_at_once():
    found = value('plan', vm="it's $HOME é", to='host2:99')
    equal((found['possible'], found['room']), (True, {'free_memory_kib': 5}))
    equal(arguments('xl-teleport'),
          ['--json', '--dry-run', '--', "it's $HOME é", 'host2:99'])
    found = value('plan', vm='pv', to='[::1]:8744', non_live='true')
    equal((found['possible'], found['problems'][0]['code']), (False, 'pv_live'))
    equal(refused('TELEPORT_PROGRAM_FAILED', 'plan', vm='broken', to='host2'),
          ['xl-teleport', '2', 'it is broken'])
    equal(value('index_stat'), {'disks': 2})
    open(path('sbin/teleportctl.broken'), 'w').close()
    equal(refused('TELEPORT_PROGRAM_FAILED', 'index_stat'),
          ['teleportctl', '1', 'no index in here'])
    os.unlink(path('sbin/teleportctl.broken'))


def job_to_its_end():
    job = value('teleport', vm='fast', to='host2', downtime='0.5',
                bwlimit='20Mbit')['id']
    end = until_over(job)
    equal(arguments('xl-teleport'),
          ['--json', '--downtime', '0.5', '--bwlimit', '20Mbit', '--', 'fast',
           'host2'])
    equal((end['state'], end['exit_code'], end['fn'], end['about']),
          ('done', 0, 'teleport', 'fast'))
    equal((end['percent'], end['report']['outcome']), (100.0, 'moved'))
    equal(refused('TELEPORT_JOB_OVER', 'cancel', id=job), [job, 'done'])


def job_cancelled():
    # XAPI's caller waits for it. It takes a tenth of a second; the limit is the
    # one that was promised.
    began = time.monotonic()
    job = value('teleport', vm='slow', to='host2')['id']
    took = time.monotonic() - began
    print('  the id after %.2f s' % took)
    assert took < 2, took

    def is_seen():
        now = value('status', id=job)
        return (now['state'], now.get('phase'), now.get('percent'),
                now.get('eta_seconds')) == ('running', 'bulk', 25.0, 7.5)
    until('progress', is_seen)
    equal(refused('TELEPORT_BUSY', 'teleport', vm='slow', to='host3'),
          ['slow', job])
    equal(sorted(one['state'] for one in value('jobs')), ['done', 'running'])
    equal(value('cancel', id=job)['id'], job)
    end = until_over(job)
    equal((end['state'], end['exit_code'], end['report']['sentence'],
           end['said'], end['percent']),
          ('cancelled', 1, 'cancelled', 'stays', None))


def started_at_once():
    """Of calls for one guest at the same time one starts a job."""
    calls = [subprocess.Popen([PLUGIN, request('teleport', {'vm': 'slow',
                                                            'to': 'host2'})],
                              stdout=subprocess.PIPE) for _ in range(6)]
    answers = [xmlrpc.client.loads(call.communicate()[0])[0][0]
               for call in calls]
    started = [json.loads(one['Value'])['id'] for one in answers
               if one['Status'] == 'Success']
    equal(len(started), 1)
    for one in answers:
        if one['Status'] == 'Failure':
            equal(one['ErrorDescription'],
                  ['TELEPORT_BUSY', 'slow', started[0]])
    value('cancel', id=started[0])
    until_over(started[0])


def half_made():
    os.mkdir(path('state/jobs/' + NO_JOB))
    before = value('jobs')
    os.rmdir(path('state/jobs/' + NO_JOB))
    equal(value('jobs'), before)


def cancelled_too_late():
    job = value('teleport', vm='given', to='host2')['id']
    until('it runs', lambda: 'phase' in value('status', id=job))
    value('cancel', id=job)
    end = until_over(job)
    equal((end['state'], end['exit_code']), ('failed', 5))


def job_lost():
    job = value('teleport', vm='slow', to='host2')['id']
    for name in ('keeper', 'program'):
        with open(path('state/jobs/%s/%s' % (job, name))) as file:
            os.kill(json.load(file)['pid'], signal.SIGKILL)
    equal(until_over(job)['state'], 'lost')


def evacuation():
    job = value('evacuate', to='host2,host3', guests='a,b c', parallel='2',
                window='02:00-05:00', at_close='cancel', dry_run='yes',
                **{'except': 'd,e'})['id']
    end = until_over(job)
    equal(arguments('teleport-evacuate'),
          ['--json', '--to=host2,host3', '--guests=a,b c', '--except=d,e',
           '--parallel', '2', '--window', '02:00-05:00', '--at-close', 'cancel',
           '--dry-run'])
    equal((end['state'], end['exit_code'], end['report']['stayed']),
          ('failed', 1, 1))


def seeding():
    disk = path('disk')
    open(disk, 'w').close()
    refused('TELEPORT_BAD_ARGUMENT', 'seed', to='host2')
    refused('TELEPORT_BAD_ARGUMENT', 'seed', vm='a', disk=disk, to='host2')
    for wrong in ('disk', '--disk', '/no/such/disk', path('../disk'), '/a\x85b',
                  '/' + 'a' * 5000):
        refused('TELEPORT_BAD_ARGUMENT', 'seed', disk=wrong, to='host2')
    end = until_over(value('seed', disk=disk, to='host2', bwlimit='1.5MB')['id'])
    equal(arguments('teleportctl'),
          ['seed', '--json', '--bwlimit', '1.5MB', '--disk', disk, 'host2'])
    equal(end['report'], {'outcome': 'seeded'})
    until_over(value('seed', vm='web1', to='host2')['id'])
    equal(arguments('teleportctl'), ['seed', '--json', 'web1', 'host2'])


def limits():
    replace('lib/teleport_jobs.py', '^MAX_RUNNING = .*', 'MAX_RUNNING = 1')
    replace('lib/teleport_jobs.py', '^MAX_KEPT = .*', 'MAX_KEPT = 2')
    job = value('teleport', vm='slow', to='host2')['id']
    equal(refused('TELEPORT_TOO_MANY_JOBS', 'teleport', vm='a', to='host2'),
          ['1'])
    value('cancel', id=job)
    until_over(job)
    until_over(value('teleport', vm='fast', to='host2')['id'])
    equal(len(value('jobs')), 3)  # two that were over, and the new one


def missing_parts():
    os.unlink(path('sbin/teleport-evacuate'))
    os.unlink(path('sbin/xl-teleport'))
    refused('TELEPORT_NOT_INSTALLED', 'evacuate', to='host2')
    equal(refused('TELEPORT_NOT_INSTALLED', 'teleport', vm='a', to='host2'),
          [path('sbin/xl-teleport')])
    with open(path('sbin/xl-teleport'), 'w') as file:
        file.write('#!/bin/sh\nread x <"%s"\n' % path('never'))
    os.chmod(path('sbin/xl-teleport'), 0o755)
    replace('plugins/teleport.py', '^ANSWER_LIMIT = .*', 'ANSWER_LIMIT = 1')
    refused('TELEPORT_TIMEOUT', 'plan', vm='a', to='host2')
    shutil.rmtree(path('state'))
    open(path('state'), 'w').close()
    refused('TELEPORT_STATE_UNUSABLE', 'teleport', vm='a', to='host2')
    refused('TELEPORT_STATE_UNUSABLE', 'jobs')


def with_xapi():
    """XAPI's own module is used where it is."""
    with open(path('lib/XenAPIPlugin.py'), 'w') as file:
        file.write('''
import sys, xmlrpc.client

class Failure(Exception):
    def __init__(self, code, params):
        Exception.__init__(self)
        self.params = [code] + params

def dispatch(table):
    params, name = xmlrpc.client.loads(sys.argv[1])
    try:
        answer = {'Status': 'Success', 'Value': table[name]('xapi', params[1])}
    except Failure as cause:
        answer = {'Status': 'Failure',
                  'ErrorDescription': ['BY_XAPI'] + cause.params}
    print(xmlrpc.client.dumps((answer,), '', True))
''')
    equal(value('index_stat'), {'disks': 2})
    equal(refused('BY_XAPI', 'status'), ['TELEPORT_MISSING_ARGUMENT', 'id'])
    refused('UNKNOWN_XENAPI_PLUGIN_FUNCTION', 'nothing')
    fails('TELEPORT_BAD_REQUEST', raw('nothing'))


for test in (no_calls, bad_arguments, answers_at_once, job_to_its_end,
             job_cancelled, started_at_once, half_made,
             cancelled_too_late, job_lost, evacuation, seeding, limits,
             missing_parts, with_xapi):
    print(test.__name__)
    test()
