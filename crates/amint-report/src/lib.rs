//! Reports from the shared report model: a self-contained HTML page.
