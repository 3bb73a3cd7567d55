"""What Streamlit runs: ``jinyi app`` starts this file, ``streamlit run app.py`` calls it."""


def main():
    """Draw the page once. Imported here and not above, so that the worker process starts without Streamlit."""
    from planner.ui.site import draw

    draw()


if __name__ == "__main__":
    main()
