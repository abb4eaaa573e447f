"""Compiled programs that are kept: within bounds, by one fit at a time, until freed."""

from types import SimpleNamespace

import numpy as np
from builders import small_mlp

import skmnist
from skmnist._training import loops
from skmnist._training.reuse import LoopPool, idle_loops


def loop(n_kilobytes=0):
    """Return what stands for a loop whose model has a variable of a size."""
    variables = [np.zeros(n_kilobytes * 256, np.float32)]
    optimizer = SimpleNamespace(variables=[])
    return SimpleNamespace(
        model=SimpleNamespace(variables=variables, optimizer=optimizer)
    )


def keys(pool):
    return [key for key in "abc" if pool.take(key)]


def test_the_least_recently_used_loop_makes_room():
    pool = LoopPool(max_loops=2, max_bytes=2**30)
    for key in "ab":
        pool.put(key, loop())
    pool.put("a", pool.take("a"))
    pool.put("c", loop())
    assert keys(pool) == ["a", "c"]


def test_loops_leave_when_they_take_too_much_memory():
    pool = LoopPool(max_loops=10, max_bytes=2**20)
    for key in "abc":
        pool.put(key, loop(300))
    assert keys(pool) == ["b", "c"]


def test_a_loop_that_is_too_large_to_be_kept_drives_no_other_out():
    pool = LoopPool(max_loops=10, max_bytes=2**20)
    pool.put("a", loop())
    pool.put("b", loop(1024))
    assert keys(pool) == ["a"]


def test_a_loop_that_is_taken_is_nobody_elses():
    pool = LoopPool(max_loops=10, max_bytes=2**20)
    old, new = loop(), loop()
    pool.put("a", old)
    pool.put("a", new)
    assert pool.take("b") is None
    assert pool.take("a") is new
    assert pool.take("a") is old
    assert pool.take("a") is None


def test_freed_programs_are_compiled_again(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    expected = model.predict_proba(X)
    assert len(idle_loops)
    skmnist.clear_programs()
    assert not len(idle_loops)
    assert np.array_equal(model.predict_proba(X), expected)
    assert np.array_equal(small_mlp().fit(X, y).predict_proba(X), expected)


def test_small_loops_count_with_what_tracing_takes(digits, monkeypatch):
    X, y = digits
    pool = LoopPool(max_loops=64, max_bytes=6 * 2**20)
    monkeypatch.setattr(loops, "idle_loops", pool)
    for units in range(5, 10):  # 40 kB of variables in all
        small_mlp(units=units, epochs=1).fit(X[:64], y[:64])
    assert 0 < len(pool) < 5
