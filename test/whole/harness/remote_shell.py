"""In the place of ssh, from one host of the harness to another:

    remote_shell.py serve               runs what is asked for, until it is killed
    remote_shell.py call HOST COMMAND   as `ssh HOST COMMAND`: standard input,
                                        output, error and the exit code are the
                                        command's; 255 when the link breaks

As with ssh the command's input ends with the caller's, also when that is killed.
"""

import os
import socket
import struct
import subprocess
import sys
import threading

PORT = 8722
OUT, ERROR, END = 1, 2, 3


def read_exactly(link, size):
    data = b""
    while len(data) < size:
        piece = link.recv(size - len(data))
        if not piece:
            raise ConnectionError("the other end is gone")
        data += piece
    return data


def send(link, alone, kind, data):
    with alone:
        link.sendall(struct.pack("<BI", kind, len(data)) + data)


def pass_input(link, to):
    """Until the caller's input ends, or the caller does."""
    try:
        while data := link.recv(65536):
            to.write(data)
    except OSError:
        pass  # the link has broken, or the command reads no more
    finally:
        try:
            to.close()
        except OSError:
            pass


def run_for(link):
    size, = struct.unpack("<I", read_exactly(link, 4))
    command = read_exactly(link, size).decode()
    alone = threading.Lock()
    with subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                          start_new_session=True) as child:
        threading.Thread(target=pass_input, args=(link, child.stdin),
                         daemon=True).start()

        def pass_output(kind, output):
            try:
                while data := output.read(65536):
                    send(link, alone, kind, data)
            except OSError:
                pass  # nobody listens any more
        outputs = [threading.Thread(target=pass_output, args=one)
                   for one in ((OUT, child.stdout), (ERROR, child.stderr))]
        for one in outputs:
            one.start()
        for one in outputs:
            one.join()
        code = child.wait()
    try:
        send(link, alone, END, struct.pack("<i", code))
    except OSError:
        pass
    link.close()


def serve():
    with socket.create_server(("0.0.0.0", PORT)) as listener:
        print("listening", flush=True)
        while True:
            link, _ = listener.accept()
            threading.Thread(target=run_for, args=(link,), daemon=True).start()


def call(host, command):
    with socket.create_connection((host, PORT)) as link:
        link.sendall(struct.pack("<I", len(command.encode())) + command.encode())

        def pass_own_input():
            while data := os.read(0, 65536):
                link.sendall(data)
            link.shutdown(socket.SHUT_WR)
        threading.Thread(target=pass_own_input, daemon=True).start()
        while True:
            kind, size = struct.unpack("<BI", read_exactly(link, 5))
            data = read_exactly(link, size)
            if kind == END:
                code, = struct.unpack("<i", data)
                return code if code >= 0 else 255
            os.write(kind, data)


def main():
    if sys.argv[1] == "serve":
        serve()
    try:
        code = call(*sys.argv[2:4])
    except OSError as failure:
        print(f"remote_shell: {failure}", file=sys.stderr, flush=True)
        code = 255
    os._exit(code)  # a thread may still wait for input


if __name__ == "__main__":
    main()
