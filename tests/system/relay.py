"""A TCP relay that a test can make slow, or silent without closing anything:
what a firewall that forgets a connection, or a pulled cable, looks like."""
import socket
import threading

PIECE, BUFFER = 16384, 32768


def _buffers(one):
    """Small ones: what is slow here is slow for both ends."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)


class Relay:
    """To an endpoint tcp://HOST:PORT; its own is `endpoint`. limit: octets a
    second and direction; None: as fast as it goes; 0: silent, reads and
    writes nothing, but accepts."""

    def __init__(self, target):
        host, port = target.removeprefix("tcp://").rsplit(":", 1)
        self.target, self.limit = (host, int(port)), None
        self.news, self.ended = threading.Condition(), False
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        _buffers(self.sockets[0])
        port = self.sockets[0].getsockname()[1]
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self._spawn(self._accept)

    def _spawn(self, call, *words):
        threading.Thread(target=call, args=words, daemon=True).start()

    def set(self, limit):
        with self.news:
            self.limit = limit
            self.news.notify_all()

    def close(self):
        with self.news:
            self.ended = True
            self.news.notify_all()
            for one in self.sockets:
                self._shut(one)

    def _shut(self, one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()

    def _accept(self):
        try:
            while not self.ended:
                self._pair(self.sockets[0].accept()[0])
        except OSError:
            return

    def _pair(self, near):
        far = socket.socket()
        for one in (near, far):
            _buffers(one)
        try:
            far.connect(self.target)
        except OSError:
            self._shut(near)
            return
        with self.news:
            self.sockets += [near, far]
        self._spawn(self._pass, near, far)
        self._spawn(self._pass, far, near)

    def _pass(self, source, to):
        try:
            while octets := source.recv(PIECE):
                self._hold(len(octets))
                to.sendall(octets)
        except OSError:
            pass
        self._shut(source)
        self._shut(to)

    def _hold(self, size):
        """Until these octets may go on."""
        with self.news:
            if self.limit:
                self.news.wait(size / self.limit)
            while self.limit == 0 and not self.ended:
                self.news.wait()
