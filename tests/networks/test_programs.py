"""Compiled programs that are kept: within bounds, by one fit at a time, until freed."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from builders import dense, small_mlp

import skmnist
from skmnist import KerasImageClassifier
from skmnist._training.reuse import ProgramCache, memory_of_program


def anything(program):
    return True


def test_the_least_recently_used_program_makes_room():
    cache = ProgramCache(max_programs=2, max_bytes=100)
    for key in "aba":
        cache.share(key, 10)
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
    cache.share("larger", 102)
    assert cache.keys() == ["a"]


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
        cache.share("a", 1).get(lambda: made.append(1) or "a program")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_nobody_waits_for_the_program_of_another_network():
    cache = ProgramCache(max_programs=10, max_bytes=100)
    cache.share("made", 1).get(object)
    served = []

    def serve():
        served.append(cache.share("made", 1).get(pytest.fail))
        served.append(cache.share("new", 1).get(lambda: "new"))

    def make_slowly():
        other = threading.Thread(target=serve, daemon=True)
        other.start()
        other.join(timeout=10)
        return "slow"

    assert cache.share("slow", 1).get(make_slowly) == "slow"
    assert served[1:] == ["new"]


@pytest.mark.parametrize("n_bytes", [1, 101], ids=["kept", "too large"])
def test_a_shared_program_is_one_as_long_as_anybody_holds_it(n_bytes):
    cache = ProgramCache(max_programs=1, max_bytes=100)
    held = cache.share("a", n_bytes)
    program = held.get(object)
    cache.share("b", 1).get(object)
    assert cache.keys() == ["b"]
    assert cache.share("a", n_bytes).get(pytest.fail) is program
    cache.clear()
    assert cache.keys() == []
    assert held.program is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_finds_no_lock_that_a_thread_held():
    script = """
import os, signal, threading
from skmnist._training.reuse import ProgramCache

cache = ProgramCache(max_programs=2, max_bytes=100)
forked = threading.Event()
is_held = [threading.Event(), threading.Event()]

def hold():
    with cache._lock:
        is_held[0].set()
        forked.wait()

def make():
    is_held[1].set()
    forked.wait()

shared = cache.share("a", 1)
threads = [
    threading.Thread(target=hold),
    threading.Thread(target=shared.get, args=[make]),
]
for thread, event in zip(threads, is_held):
    thread.start()
    event.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    made = shared.get(lambda: "made"), cache.share("b", 1).get(lambda: "made too")
    os._exit(0 if made == ("made", "made too") else 1)
forked.set()
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_freed_programs_are_compiled_again(digits):
    from skmnist._forward import forward_programs
    from skmnist._training.train import _idle_loops

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


@pytest.mark.parametrize("is_own", [False, True])
def test_freed_programs_leave_the_memory_though_classifiers_live(is_own, digits):
    X, y = digits
    own = KerasImageClassifier(builder=dense, epochs=1)
    model = (own if is_own else small_mlp(units=26, epochs=1)).fit(X, y)
    expected = model.predict_proba(X)
    program = weakref.ref(model._network._handle.program)
    gc.collect()
    assert program() is not None
    skmnist.clear_programs()
    gc.collect()
    assert program() is None
    assert np.array_equal(model.predict_proba(X), expected)


def test_small_programs_count_with_what_tracing_takes(digits, monkeypatch):
    from skmnist import _trained_network

    X, y = digits
    cache = ProgramCache(max_programs=64, max_bytes=3 * 2**20)
    monkeypatch.setattr(_trained_network, "forward_programs", cache)
    for units in range(5, 10):  # 12 kB of weights in all
        small_mlp(units=units, epochs=1).fit(X[:64], y[:64]).predict(X[:1])
    assert 0 < len(cache) < 5


def test_small_loops_count_with_what_tracing_takes(digits, monkeypatch):
    from skmnist._training import train as _engine

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
