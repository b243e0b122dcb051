"""Several boards that share work.

`work` says what is asked of a board; `member` is a board with what is known of it; `calls` keeps
what belongs together and is waited for; `crew` gives each board work, and the work of a board that
fails to the others. `addresses` checks where the boards are. What users hold is
`tensorspin.BoardPool`.
"""
