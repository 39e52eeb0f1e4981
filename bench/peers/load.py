"""Puts load on a service and prints what came of it as one line of JSON.

Tasks at an interval (0: all at once), as the original's client did, each on a connection of its own:
    load.py URL --tasks 20 --interval 0.1
A closed loop, in which each of so many callers asks again once it has its answer:
    load.py URL --concurrency 64 --duration 10
"""

import argparse
import asyncio
import json
import statistics
import time

import aiohttp

import processes

DEFAULT = ["What are the symptoms of asthma?"]


class Load:
    def __init__(self, options, questions, session):
        self.options, self.questions, self.session = options, questions, session
        self.url = f"{options.url}/apis/q-and-a/{options.route}"
        self.seconds, self.failures, self.asked = [], {}, 0

    async def ask(self):
        body = {"content": self.questions[self.asked % len(self.questions)], "query_option": True, "n_results": 5}
        self.asked += 1
        start = time.monotonic()
        try:
            async with self.session.post(self.url, json=body) as response:
                await response.read()
                failure = None if response.status == 200 else str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = type(error).__name__
        if failure:
            self.failures[failure] = self.failures.get(failure, 0) + 1
        else:
            self.seconds.append(time.monotonic() - start)

    async def tasks(self):
        """All tasks, until they are done or the limit is reached; those that are not done then count as lost."""
        running = []
        for number in range(self.options.tasks):
            if number and self.options.interval:
                await asyncio.sleep(self.options.interval)
            running.append(asyncio.create_task(self.ask()))
        _, late = await asyncio.wait(running, timeout=self.options.limit)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return {"tasks": self.options.tasks, "late": len(late)}

    async def loop(self):
        """Questions answered between the end of the warm-up and the end, and what they cost."""
        end = time.monotonic() + self.options.warm_up + self.options.duration

        async def caller():
            while time.monotonic() < end:
                await self.ask()

        callers = [asyncio.create_task(caller()) for _ in range(self.options.concurrency)]
        await asyncio.sleep(self.options.warm_up)
        self.seconds.clear()
        before, start = self.used(), time.monotonic()
        await asyncio.sleep(max(0.0, end - time.monotonic()))
        answered, wall, after = len(self.seconds), time.monotonic() - start, self.used()
        _, late = await asyncio.wait(callers, timeout=self.options.limit)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        cpu = {f"{name}_cpu_ms": 1000 * (after[name] - before[name]) / max(answered, 1) for name in before}
        return {"answered": answered, "per_second": answered / wall, **cpu, "load_cpu_share": cpu_share(after, before, wall)}

    def used(self):
        used = {"load": time.process_time()}
        for name in ("server", "chroma"):
            if pid := getattr(self.options, name):
                used[name] = processes.cpu_seconds(pid)
        return used


def cpu_share(after, before, wall):
    return (after["load"] - before["load"]) / wall


async def watch_memory(pid, peak):
    while True:
        peak.append(await asyncio.to_thread(processes.megabytes, pid))
        await asyncio.sleep(0.5)


async def run(options):
    questions = DEFAULT
    if options.questions:
        with open(options.questions) as lines:
            questions = [json.loads(line)["question"] for line in lines]
    connections = aiohttp.TCPConnector(limit=0, force_close=bool(options.tasks))
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connections, timeout=timeout) as session:
        load, peak = Load(options, questions, session), []
        watching = asyncio.create_task(watch_memory(options.server, peak)) if options.server else None
        result = await (load.tasks() if options.tasks else load.loop())
        if watching:
            watching.cancel()
            result["megabytes"] = max(peak, default=0)
    seconds = sorted(load.seconds)
    if seconds:
        result |= {"median": statistics.median(seconds), "slowest": seconds[-1]}
    return {**result, "completed": len(seconds), "failures": load.failures}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--route", choices=("q", "mock-q"), default="q")
    parser.add_argument("--tasks", type=int, default=0)
    parser.add_argument("--interval", type=float, default=0.1, help="seconds")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--duration", type=float, default=10, help="seconds")
    parser.add_argument("--warm-up", type=float, default=2, help="seconds of the closed loop that do not count")
    parser.add_argument("--limit", type=float, default=60, help="seconds after which the rest is given up")
    parser.add_argument("--questions", help="file of JSON lines, each with `question`")
    parser.add_argument("--server", type=int, help="process whose CPU and memory are told")
    parser.add_argument("--chroma", type=int, help="process whose CPU is told")
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


main()
