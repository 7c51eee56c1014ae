"""Damaged files, as strategies for hypothesis: valid ones with bytes set, cut, inserted and repeated."""

from collections.abc import Sequence

from hypothesis import strategies as st

# What damages text and binary formats alike: quotes, separators, line ends, numbers at the edge of a type.
TOKENS = (
    b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe9",
    b"\xc3\xa9", b"e\xcc\x81", b"1.0", b"1E+39", b"-1", b"nan", b"=1+1", b"../", b"<script>", b"&a", b"*a",
    b"<<: *a", b"!!python/object/apply:os.system", b"[", b"{", b"}", b": ", b"- ", b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00", b"\xff\xd8", b"\xff\xd9", b"II*\x00",
    b"MM\x00*", b"\x89PNG", b"PK\x03\x04", b"\x1f\x8b", b"\x89HDF",
)  # fmt: skip
PLACE = st.integers(0, 2**20)  # modulo the length of the file

DAMAGES = st.one_of(
    st.tuples(st.just("set"), PLACE, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("set"), PLACE, st.sampled_from(TOKENS)),
    st.tuples(st.just("insert"), PLACE, st.sampled_from(TOKENS)),
    st.tuples(st.just("insert"), PLACE, st.binary(max_size=64)),
    st.tuples(st.just("truncate"), PLACE, st.just(b"")),
    st.tuples(st.just("cut"), PLACE, st.binary(min_size=1, max_size=2)),
    st.tuples(st.just("repeat"), PLACE, st.binary(min_size=1, max_size=2)),
)


def damaged(files: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Files with up to eight damages each, and now and then bytes that never were a file."""
    damages = st.lists(DAMAGES, max_size=8)
    return st.one_of(
        st.builds(_apply, st.sampled_from(files), damages),
        st.builds(_apply, st.sampled_from(files), damages),
        st.builds(_apply, st.sampled_from(files), damages),
        st.binary(max_size=200),
    )


def _apply(content: bytes, damages: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, value in damages:
        at = place % (len(content) + 1)
        length = int.from_bytes(value, "big")
        if kind == "set":
            content = content[:at] + value + content[at + len(value) :]
        elif kind == "insert":
            content = content[:at] + value + content[at:]
        elif kind == "truncate":
            content = content[:at]
        elif kind == "cut":
            content = content[:at] + content[at + length :]
        elif kind == "repeat":
            content = content[:at] + content[at : at + length] * 3 + content[at + length :]
    return content
