"""Small projects with one known bug each, a failing test, and tests that no repairer sees; and faults that no patch should end."""
