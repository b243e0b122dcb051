"""A proxy between client and server that hurts: below TLS, it knows nothing but bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class HurtingProxy:
    """Forwards connections to a port of this computer, and does to them what `hurt` says.

    Attributes
    ----------
    hurt : callable
        Takes the number of the connection (from 0), its direction ("up" to the server, "down"), the
        count of bytes that have passed in it, and the next bytes; gives the bytes to pass, or None
        to cut the connection. It may sleep. By default bytes pass.
    accepted : int
        Connections so far.
    """

    def __init__(self, port):
        self.hurt = self.unhurt
        self.accepted = 0
        self._target = port
        self._open = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    def unhurt(_number, _direction, _passed, data):
        return data

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            number, self.accepted = self.accepted, self.accepted + 1
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._open += [client, server]
            for direction, source, sink in (("up", client, server), ("down", server, client)):
                threading.Thread(
                    target=self._pass, args=(number, direction, source, sink), daemon=True
                ).start()

    def _pass(self, number, direction, source, sink):
        passed = 0
        try:
            while data := source.recv(65536):
                changed = self.hurt(number, direction, passed, data)
                if changed is None:
                    break
                sink.sendall(changed)
                passed += len(data)
        except OSError:
            pass
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Cut all connections that are open."""
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listening.close()
        self.cut()


def delayed(seconds):
    """Each piece comes later."""

    def hurt(_number, direction, _passed, data):
        if direction == "down":
            time.sleep(seconds)
        return data

    return hurt


def slow_bytes(proxy, after, pause):
    """From some byte on, one byte at a time with a pause, for ever."""

    def hurt(number, direction, passed, data):
        if direction == "up" or passed < after:
            return data
        sink = proxy._open[2 * number]
        for place in range(len(data)):
            sink.sendall(data[place : place + 1])
            time.sleep(pause)
        return b""

    return hurt


def half_body(keep):
    """The last piece of an answer is cut in its middle."""

    def hurt(_number, direction, passed, data):
        if direction == "down" and passed > keep:
            return None
        return data

    return hurt
