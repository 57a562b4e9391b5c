"""Runs the code that the page sends, and answers with the value of its last line, as JSON."""

import asyncio
import json
import traceback

import js
from pyodide.code import eval_code_async
from pyodide.ffi import create_proxy, to_js

names = {}
tasks = set()


def plain(value):
    return to_js(value, dict_converter=js.Object.fromEntries)


async def run(line, id_, code):
    try:
        value = json.dumps(await eval_code_async(code, names), default=str)
        line.postMessage(plain({"id": id_, "value": value}))
    except BaseException:
        line.postMessage(plain({"id": id_, "error": traceback.format_exc()}))


def open_line(event):
    if event.data == "which?":
        return
    desk.close()
    line = js.BroadcastChannel.new(event.data)

    def hear(event):
        if hasattr(event.data, "code"):
            task = asyncio.ensure_future(run(line, event.data.id, event.data.code))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    line.onmessage = create_proxy(hear)
    line.postMessage(plain({"ready": True}))


desk = js.BroadcastChannel.new("worker-desk")
desk.onmessage = create_proxy(open_line)
desk.postMessage("which?")
