"""The one page of the guard: where a person gives the token."""

LOGIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>e-Stat data lake</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>
body { font: 16px system-ui, sans-serif; display: grid; place-items: center; height: 90vh; color: #222 }
form { display: grid; gap: .8em; width: 20em } input, button { font: inherit; padding: .5em } p { color: #b00020 }
</style>
<form method="post" action="/login">
<h1>e-Stat data lake</h1>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Open</button><p>{words}</p>
</form></html>
"""
