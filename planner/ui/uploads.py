"""Where a planner brings a file: Streamlit's uploader, which speaks English alone, in the words of the page."""

import streamlit as st

DATUMS = ("", "wgs84", "gcj02", "bd09")  # "" = not stated: a list in another one is refused
ZONE = '[class*="st-key-upload-"] [data-testid="stFileUploaderDropzone'
PLACES = {
    "button": f'{ZONE}"] button::after',
    "drop": f'{ZONE}Instructions"]::after',
    "other": f'{ZONE}"] [data-testid="stBaseButton-borderlessIcon"]::after',
    "remove": f'{ZONE}"] [data-testid="stFileChip"] button::after',
}


def uploader(label, words, *, key, **options):
    """Draw an uploader and return the file that was brought, or None; ``options`` are those of Streamlit's own."""
    rules = "".join(f'{place}{{content:"{words(f"upload.{name}")}"}}' for name, place in PLACES.items())
    with st.container(key=f"upload-{key}"):
        st.html(f"<style>{rules}</style>")
        return st.file_uploader(label, key=key, **options)


def datum_of(words, *, key):
    """Draw the choice of the datum that a list's degrees are in, and return it, one of ``DATUMS``."""
    return st.selectbox(
        words("upload.datum"),
        DATUMS,
        format_func=lambda datum: words(f"upload.datum_{datum or 'none'}"),
        key=key,
        filter_mode=None,
    )
