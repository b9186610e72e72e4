"""The archive (분리보관): what a law, or a consent to keep, still keeps once its member has left; apart from all else.

A database, roles, a transit key and a process of its own (법 제21조 제3항). The mover runs in identity and puts in; the
process ``python -m services.identity archive`` opens and destroys.
"""
