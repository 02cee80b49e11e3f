"""Stands for ssh between the two ends: runs the far end's command here, and does to the line what LINE says.

LINE is one of
  count FILE            writes how many bytes went either way into FILE
  cut SIDE N K          ends the far end when N messages, and K bytes of the next one, went to SIDE (near or far)
  kill SIDE N           the same, but it is the near end that is killed
  hold SIDE N K         the same, but nothing ends: nothing more comes
  garble SEED           changes some of what comes from the far end, as chance says
  lie KIND N            changes the last byte of the N-th message of a kind, by its number, that comes from the far end
"""

import os
import random
import signal
import struct
import subprocess
import sys
import threading


class Frames:
    """Counts messages in a stream."""

    def __init__(self):
        self.head, self.left, self.count = b"", 0, 0

    def before(self, data, limit, beyond):
        """How many bytes of `data` may pass until `limit` messages went, and so many bytes of the next."""
        for at in range(len(data)):
            if self.count >= limit and self.into() >= beyond:
                return at
            if self.left:
                self.left -= 1
                self.count += self.left == 0
                continue
            self.head += data[at : at + 1]
            if len(self.head) == 4:
                self.left, self.head = struct.unpack("<I", self.head)[0], b""
                self.of = self.left
        return None if self.count < limit or self.into() < beyond else len(data)

    def into(self):
        return len(self.head) if not self.left else 4 + self.of - self.left


class Liar:
    """Changes one message, and hands on whole ones only."""

    def __init__(self, kind, number):
        self.kind, self.number, self.data = kind, number, b""

    def told(self, data):
        self.data += data
        out = b""
        while len(self.data) >= 4 and len(self.data) >= 4 + struct.unpack("<I", self.data[:4])[0]:
            end = 4 + struct.unpack("<I", self.data[:4])[0]
            frame, self.data = bytearray(self.data[:end]), self.data[end:]
            # The hello, which is the only one without a number, has a letter there.
            if end > 9 and frame[8] == self.kind:
                if self.number == 0:
                    frame[-1] ^= 1
                self.number -= 1
            out += frame
        return out


def garbled(data, chance):
    """The same with some changes."""
    data = bytearray(data)
    for _ in range(chance.randint(0, 2)):
        at = chance.randrange(len(data)) if chance.random() < 0.5 else chance.randrange(min(len(data), 12))
        kind = chance.randrange(5)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice([0, 1, 0x7F, 0xFF])
        elif kind == 2:
            del data[at : at + chance.randint(1, 8)]
        elif kind == 3:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
        else:
            data += data
        if not data:
            break
    return bytes(data)


def main():
    what, *words = os.environ.get("LINE", "count /dev/null").split()
    far = subprocess.Popen(["sh", "-c", sys.argv[-1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    passed = {"near": 0, "far": 0}
    parent = os.getppid()

    def end():
        if what == "hold":
            # Until whoever waits has had enough of it.
            signal.pause()
        if what == "kill":
            os.kill(parent, signal.SIGKILL)
        far.kill()
        far.wait()
        os._exit(255)

    def carry(side, source, target):
        frames, chance = Frames(), random.Random(f"{words} {side}")
        liar = Liar(int(words[0]), int(words[1])) if what == "lie" and side == "near" else None
        while data := os.read(source, 1 << 16):
            over = None
            if what in ("cut", "kill", "hold") and words[0] == side:
                over = frames.before(data, int(words[1]), int(words[2]) if what != "kill" else 0)
                data = data if over is None else data[:over]
            if what == "garble" and side == "near":
                data = garbled(data, chance)
            if liar:
                data = liar.told(data)
            passed[side] += len(data)
            try:
                while data:
                    data = data[os.write(target, data) :]
            except BrokenPipeError:
                break
            if over is not None:
                end()
        if side == "far":
            far.stdin.close()

    thread = threading.Thread(target=carry, args=("far", 0, far.stdin.fileno()), daemon=True)
    thread.start()
    carry("near", far.stdout.fileno(), 1)
    code = far.wait()
    if what == "count":
        with open(words[0], "w") as file:
            file.write(str(sum(passed.values())))
    os._exit(code if code >= 0 else 255)


if __name__ == "__main__":
    main()
