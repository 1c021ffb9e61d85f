"""Verifies a document from files: verify.py LIBRARY DOCUMENT SIGNATURE [NAME VALUE]..."""

import ctypes
import pathlib
import sys


def load(path):
    library = ctypes.CDLL(path)
    library.amint_identity_expect_new.restype = ctypes.c_void_p
    library.amint_identity_expect_free.argtypes = [ctypes.c_void_p]
    library.amint_identity_expect_free.restype = None
    library.amint_identity_expect_set.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    library.amint_identity_verify.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t,
    ]
    return library


def verify(library, document, signature, expected):
    """Returns the code and the message: the instance's id, or the reason of the refusal."""
    expect = library.amint_identity_expect_new()
    try:
        for name, value in expected:
            library.amint_identity_expect_set(expect, name.encode(), value.encode())
        message = ctypes.create_string_buffer(256)
        code = library.amint_identity_verify(
            document, len(document), signature, len(signature), expect, message, len(message)
        )
        return code, message.value.decode()
    finally:
        library.amint_identity_expect_free(expect)


def main():
    path, document, signature, *rest = sys.argv[1:]
    read = lambda name: pathlib.Path(name).read_bytes()
    code, message = verify(load(path), read(document), read(signature), zip(rest[::2], rest[1::2]))
    print(code, message)
    sys.exit(0 if code == 0 else 1)


main()
