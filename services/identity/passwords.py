"""Passwords (제15조): Argon2id, one way. What is stored is sealed on top, so that a stolen table cannot be guessed at."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type

# OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1 (CR-01).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
# Hashing takes the GIL away from nobody, but memory: few at a time.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> bytes:
    """Return the password's hash in PHC form. The loop is not held up meanwhile."""
    return (await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)).encode()
