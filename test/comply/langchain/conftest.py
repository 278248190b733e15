"""Files for tests that fetch one from the internet, where there is none: of the same kind, and small."""

import base64
import io
import wave

import httpx
import pytest

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)
    return out.getvalue()


def stand_in(url: str) -> bytes:
    if url.endswith(".pdf"):
        return PDF
    return sound() if url.endswith((".wav", ".mp3", ".ogg")) else PNG


@pytest.fixture(autouse=True, scope="session")
def files():
    real = httpx.get

    def get(url, *args, **kwargs):
        try:
            return real(url, *args, **kwargs)
        except httpx.TransportError:
            return httpx.Response(200, content=stand_in(str(url)), request=httpx.Request("GET", url))

    httpx.get = get
    yield
    httpx.get = real
