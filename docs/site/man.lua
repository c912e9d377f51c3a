-- man.lua: the manual pages quoll(7), of the Lua API, and quoll(3), of the C
-- API. cmark-gfm makes them of Markdown.
local disk = require "docs.site.disk"
local header = require "docs.site.header"
local lua_reference = require "docs.site.lua_reference"
local public = require "docs.site.public"

local man = {}

local LUA = [[
# NAME

quoll - a reactor for Lua scripts

# SYNOPSIS

    local quoll = require "quoll"

    quoll.serve("127.0.0.1:7000", function(conn)
      for line in conn:lines() do
        conn:send(line .. "\n")
      end
    end)

**luajit** *script.lua*

# DESCRIPTION

quoll runs coroutines that wait: for connections, bytes, files, names, programs,
timers, for each other. While one waits the others run, in one thread, on one
epoll loop. A script needs nothing but **luajit**(1) and `require "quoll"`.

A coroutine that quoll runs is a *task*. The main chunk of a script is the root
of all tasks: what it waits for runs the loop, and `quoll.run` runs it until
every task has ended. Tasks belong to the one that spawned them, handles to the
task that opened them, and are closed when it ends. A failed task is logged with
its traceback; the others go on.

# FAILURES

Failures are values: `nil`, the error in words, and a CODE, which is the name of
the errno, or one of `TIMEOUT`, `CLOSED`, `OWNER_ENDED`, `CANCELLED`,
`DEADLINE`, `BUSY`, `STOPPING`, `ENOTFOUND`. Reads and writes that have done a
part tell how much in between. Misuse raises an error at the line of the script.

# SIGNALS

`SIGINT, SIGTERM`

> The first cancels every task, or begins a graceful stop when the setting
> `grace` is more than 0; the next one goes a step further, the last exits with
> 128 + its number.

`SIGQUIT`

> Writes a dump of all tasks and counters to standard error.

`SIGPIPE`

> Is ignored where it had its default.

# ENVIRONMENT

`LUA_PATH, LUA_CPATH`

> Where **luajit**(1) looks for modules; quoll reads no variable of its own.

`LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES`

> Sockets that **systemd.socket**(5) hands over: `quoll.listen "fd:3"`,
> `quoll.inherited`.

]]

local LUA_END = [[
# SEE ALSO

**quoll**(3), **luajit**(1), **epoll**(7), **aio**(7)

The manual, the guide and the reference are in the source's folder docs, and a
site by **make docs**.
]]

local C = [[
# NAME

quoll - the C interface of libquoll and libquoll-lua

# SYNOPSIS

    #include <quoll.h>
    #include <quoll_lua.h>

    cc $(pkg-config --cflags quoll) module.c $(pkg-config --libs quoll)

# DESCRIPTION

]]

-- Docstrings and comments are plain text.
local function plain(text)
    return ((text or ""):gsub("[*_<%[|#~\\]", "\\%0"))
end

local function first_sentence(text)
    text = (text or ""):gsub("%s*\n%s*", " ")
    return plain(text:match "^(.-[^.]%.)%s" or text)
end

-- { "# HEADING", entries... }: a term and what it means, each.
local function term(name, text)
    return ("`%s`\n\n> %s\n"):format(name, (text:gsub("\n", "\n> ")))
end

local function lua_text(api)
    local out, last = { LUA }, nil
    for _, entry in ipairs(api.entries) do
        local prefix = entry.name:match "^(.*)[.:][%w_]+$"
        if prefix ~= last then
            local class = public.classes[prefix]
            out[#out + 1] = ("# %s\n"):format(class
                and ("%s (%s)"):format(class[1]:upper(), prefix)
                or prefix:upper())
            last = prefix
        end
        out[#out + 1] = term(lua_reference.signature(entry),
            first_sentence(entry.item.text))
    end
    out[#out + 1] = LUA_END
    return table.concat(out, "\n")
end

local function c_text(root, headers)
    local out = { C }
    for _, path in ipairs(headers) do
        local parsed = header.parse(disk.read(root .. "/" .. path))
        out[#out + 1] = plain(parsed.words) .. "\n"
        for _, section in ipairs(parsed.sections) do
            out[#out + 1] = ("# %s\n"):format(section.name:upper())
            for _, entry in ipairs(section.entries) do
                if entry.kind == "function" then
                    out[#out + 1] = term((entry.text:gsub("%s+", " ")),
                        plain(entry.words))
                end
            end
        end
    end
    out[#out + 1] = "# SEE ALSO\n\n**quoll**(7), **epoll**(7), "
        .. "**io\\_submit**(2)\n"
    return table.concat(out, "\n")
end

-- Markdown's quote below a term becomes the tagged paragraph that man has.
local function roff(text, name, section, version)
    local path = os.tmpname()
    disk.write(path, text)
    local body = disk.run("cmark-gfm -t man " .. path)
    os.remove(path)
    body = body:gsub("\n%.PP\n(\\f%[C%][^\n]*\\f%[%]\n)%.RS\n%.PP\n(.-)\n%.RE",
        "\n.TP\n%1%2")
    return ('.TH "%s" "%d" "" "quoll %s" "quoll"\n'):format(name, section,
        version) .. body .. "\n"
end

-- Path -> text.
function man.files(api, root, headers, version)
    return {
        ["man7/quoll.7"] = roff(lua_text(api), "QUOLL", 7, version),
        ["man3/quoll.3"] = roff(c_text(root, headers), "QUOLL", 3, version),
    }
end

return man
