-- Tries:    A plugin and a script look for the access token wherever they can look.
-- Stopped:  Neither ever holds a secret. The host attaches it to a checked request, after the plugin has let go of it.
-- Writes:   0 sent
-- Outcome:  ok

print(app.integrations.thief.search({}))
print(os.getenv, io, require, package, debug.getupvalue)
print(getmetatable(app.integrations.thief))
