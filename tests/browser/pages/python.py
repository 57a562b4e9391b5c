"""Lets a test run Python in the page: `runPython(code)` resolves to the value of its last line, as JSON."""

import json

import js
from pyodide.code import eval_code_async
from pyodide.ffi import create_proxy

names = {}


async def run(code):
    return json.dumps(await eval_code_async(code, names), default=str)


js.window.runPython = create_proxy(run)
