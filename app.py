"""The page a planner opens: ``streamlit run app.py``, or ``jinyi app``."""

from planner.ui.main import main

if __name__ == "__main__":  # a worker process imports this file too, and draws nothing
    main()
