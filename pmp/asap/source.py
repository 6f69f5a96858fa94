"""The bytes of a submission: buffered, counted, brought to UTF-8."""

import codecs
import hashlib
from collections.abc import Iterable, Iterator

_UTF16 = {
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"T\0": "utf-16-le",
    b"\0T": "utf-16-be",
}


class Source:
    """Bytes not yet read, and where they stand in the file.

    `buffer[position:]` is not read yet; `buffer` begins at byte `start` of the file.
    `encoding` is the codec that decodes the file: utf-8, or by its first bytes
    utf-8-sig, utf-16-le or utf-16-be; UTF-16 comes here as UTF-8.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.buffer = b""
        self.position = 0
        self.start = 0
        self.ended = False
        self.encoding = "utf-8"
        self._digest = hashlib.sha256()
        self._chunks = self._converted(self._digested(chunks))

    @property
    def offset(self) -> int:
        """The place in the file of the next byte."""
        return self.start + self.position

    @property
    def sha256(self) -> str:
        """The digest of what came in, as lower-case hexadecimal digits."""
        return self._digest.hexdigest()

    def more(self) -> bool:
        """Get another chunk; False when there is none."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self.ended = True
            return False
        self.start += self.position
        self.buffer = self.buffer[self.position :] + chunk
        self.position = 0
        return True

    def fill(self, size: int) -> bytes:
        """Get `size` bytes ready if there are so many, and give what is ready."""
        while len(self.buffer) - self.position < size and self.more():
            pass
        return self.buffer[self.position : self.position + size]

    def drain(self) -> None:
        """Read to the end and forget it, so that the digest covers the whole file."""
        for _ in self._chunks:
            pass
        self.start += len(self.buffer)
        self.buffer, self.position, self.ended = b"", 0, True

    def _digested(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._digest.update(chunk)
            yield chunk

    def _converted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Give chunks without a byte order mark, and UTF-16 as UTF-8."""
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= 3:
                break
        name = _UTF16.get(head[:2], "")
        if head.startswith(codecs.BOM_UTF8):
            self.encoding = "utf-8-sig"
            head, self.start = head[3:], 3
        elif name:
            self.encoding = name
            yield from _utf8_of(name, head, chunks)
            return
        yield head
        yield from chunks


def _utf8_of(encoding: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    yield decoder.decode(head).removeprefix("\ufeff").encode(errors="replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode(errors="replace")
    yield decoder.decode(b"", final=True).encode(errors="replace")
