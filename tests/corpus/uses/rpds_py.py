"""Persistent maps, sets, lists and queues of the Rust core: shared, compared, pickled, from threads."""

from __future__ import annotations

import pickle
import threading

import rpds
from rpds import HashTrieMap, HashTrieSet, List, Queue, Stack


def main() -> None:
    print(rpds.__file__, rpds.rpds.__file__)
    one = HashTrieMap({"a": 1})
    two = one.insert("b", 2).update({"c": 3})
    print(
        len(one),
        sorted(two.items()),
        two.remove("a").get("a"),
        "b" in two,
        HashTrieMap.convert({"a": 1}) == one,
        hash(one) == hash(HashTrieMap(a=1)),
    )
    try:
        one.remove("none")
    except KeyError as error:
        print(repr(error))
    numbers = HashTrieSet(range(5))
    print(
        sorted(numbers.union(HashTrieSet([7]))),
        sorted(numbers - HashTrieSet([1])),
        numbers.discard(9) == numbers,
        {1, 2} <= set(numbers),
    )
    line = List([1, 2]).push_front(0)
    print(list(line), line.first, list(line.rest), line, list(reversed(line)))
    queue = Queue([1]).enqueue(2)
    print(queue.peek(), list(queue.dequeue()), Stack([1]).push(2).peek(), queue)
    print(pickle.loads(pickle.dumps(two)) == two, pickle.loads(pickle.dumps(line)) == line)
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(len(HashTrieMap({k: k for k in range(n)}))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(results))
    try:
        HashTrieMap({}).insert([], 1)
    except TypeError as error:
        print(error)
