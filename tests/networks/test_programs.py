"""Compiled programs that are kept: within bounds, by one fit at a time, until freed."""

import gc
import threading

import numpy as np
import pytest
from builders import small_mlp

import skmnist
from skmnist._programs import ProgramCache


def anything(program):
    return True


def test_the_least_recently_used_program_makes_room():
    cache = ProgramCache(max_programs=2, max_bytes=100)
    for key in "ab":
        cache.share(key, lambda key=key: key, 10)
    cache.share("a", pytest.fail, 10)
    cache.put("c", "c", 10)
    assert cache.keys() == ["a", "c"]


def test_programs_leave_when_they_take_too_much_memory():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    for key in "abc":
        cache.put(key, key, 40)
    assert cache.keys() == ["b", "c"]
    cache.put("large", "large", 101)
    assert cache.keys() == []


def test_a_program_that_is_taken_is_nobody_elses():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    cache.put("a", "old", 1)
    cache.put("a", "new", 1)
    assert cache.take("a", lambda program: program == "old") == "old"
    assert cache.take("b", anything) is None
    assert cache.take("a", anything) == "new"
    assert cache.take("a", anything) is None


def test_a_shared_program_is_made_once_by_threads_at_the_same_time():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    made = []
    start = threading.Barrier(8)

    def ask():
        start.wait()
        cache.share("a", lambda: made.append(1) or "a program", 1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_freed_programs_are_compiled_again(digits):
    from skmnist._engine import _idle_loops
    from skmnist._forward import forward_programs

    X, y = digits
    model = small_mlp().fit(X, y)
    expected = model.predict_proba(X)
    assert len(_idle_loops)
    assert len(forward_programs)
    skmnist.clear_programs()
    assert not len(_idle_loops)
    assert not len(forward_programs)
    assert np.array_equal(model.predict_proba(X), expected)
    assert np.array_equal(small_mlp().fit(X, y).predict_proba(X), expected)


def test_a_live_model_goes_when_nobody_holds_it(digits, keras):
    X, y = digits
    model = small_mlp().fit(X, y)
    live = model.model_
    assert model.model_ is live
    model._repr_html_()  # shows every attribute, this one as well
    del live
    gc.collect()
    assert model._network._live_model() is None
