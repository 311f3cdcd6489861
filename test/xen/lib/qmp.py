"""qmp.py SOCKET COMMAND [ARGUMENTS]: asks a QEMU, prints what it returns.

The arguments are a JSON object. Events are passed over. Exit code 1, and QEMU's
sentence on standard error, when it refuses.
"""
import json
import socket
import sys

path, command, *arguments = sys.argv[1:]
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(60)
    connection.connect(path)
    stream = connection.makefile("rw", encoding="utf-8")

    def ask(request):
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        for line in stream:
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]
        sys.exit("QEMU has hung up")

    stream.readline()  # its greeting
    ask({"execute": "qmp_capabilities"})
    request = {"execute": command}
    if arguments:
        request["arguments"] = json.loads(arguments[0])
    print(json.dumps(ask(request)))
