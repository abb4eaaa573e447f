"""Compiled programs that are kept: within bounds, by one fit at a time, until freed."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest
from builders import small_mlp

import skmnist
from skmnist._programs import ProgramCache, memory_of_program


def anything(program):
    return True


def test_the_least_recently_used_program_makes_room():
    cache = ProgramCache(max_programs=2, max_bytes=100)
    for key in "ab":
        cache.put(key, key, 10)
    cache.put("a", cache.take("a", anything), 10)
    cache.put("c", "c", 10)
    assert cache.keys() == ["a", "c"]


def test_programs_leave_when_they_take_too_much_memory():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    for key in "abc":
        cache.put(key, key, 40)
    assert cache.keys() == ["b", "c"]


def test_a_program_that_is_too_large_to_be_kept_drives_no_other_out():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    cache.put("a", "a", 40)
    cache.put("large", "large", 101)
    assert cache.keys() == ["a"]


def test_a_program_that_is_taken_is_nobody_elses():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    cache.put("a", "old", 1)
    cache.put("a", "new", 1)
    assert cache.take("a", lambda program: program == "old") == "old"
    assert cache.take("b", anything) is None
    assert cache.take("a", anything) == "new"
    assert cache.take("a", anything) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_finds_no_lock_that_a_thread_held():
    script = """
import os, signal, threading
from skmnist._programs import ProgramCache

cache = ProgramCache(max_programs=2, max_bytes=100)
is_held, forked = threading.Event(), threading.Event()

def hold():
    with cache._lock:
        is_held.set()
        forked.wait()

threading.Thread(target=hold).start()
is_held.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    cache.put("a", "program", 1)
    os._exit(0 if cache.keys() == ["a"] else 1)
forked.set()
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_freed_programs_are_compiled_again(digits):
    from skmnist._engine import _idle_loops

    X, y = digits
    model = small_mlp().fit(X, y)
    expected = model.predict_proba(X)
    assert len(_idle_loops)
    skmnist.clear_programs()
    assert not len(_idle_loops)
    assert np.array_equal(model.predict_proba(X), expected)
    assert np.array_equal(small_mlp().fit(X, y).predict_proba(X), expected)


def test_small_loops_count_with_what_tracing_takes(digits, monkeypatch):
    from skmnist import _engine

    X, y = digits
    cache = ProgramCache(max_programs=64, max_bytes=6 * 2**20)
    monkeypatch.setattr(_engine, "_idle_loops", cache)
    for units in range(5, 10):  # 40 kB of variables in all
        small_mlp(units=units, epochs=1).fit(X[:64], y[:64])
    assert 0 < len(cache) < 5


@pytest.mark.parametrize(("dtype", "n_bytes"), [("float32", 4), ("float64", 8)])
def test_numbers_count_with_all_their_bytes(dtype, n_bytes):
    arrays = [np.zeros((3, 5), dtype), np.zeros((), dtype)]
    assert memory_of_program(arrays, 1000) == 16 * n_bytes + 2000


def test_a_live_model_goes_when_nobody_holds_it(digits, keras):
    X, y = digits
    model = small_mlp().fit(X, y)
    live = model.model_
    assert model.model_ is live
    model._repr_html_()  # shows every attribute, this one as well
    del live
    gc.collect()
    assert model._network._live_model() is None
