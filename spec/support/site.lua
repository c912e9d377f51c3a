-- site.lua: for specs of quoll.http.static: a folder with files, and what a
-- handler answers without a connection.
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local part = require "quoll.http.part"

local site = {}

-- "2001-09-09": all but what a spec writes itself has these times.
site.MODIFIED = "Sun, 09 Sep 2001 01:46:40 GMT"

-- n bytes, no two lines alike.
function site.text(n)
    local lines = {}
    for i = 1, n / 8 + 1 do
        lines[i] = ("%07d\n"):format(i)
    end
    return table.concat(lines):sub(1, n)
end

function site.fill(dir)
    assert(os.execute(([[cd %s && mkdir -p sub/deep empty .git ".well-known" &&
        printf '<h1>hello</h1>' > index.html && printf deep > sub/deep/x.css &&
        printf secret > .git/config && printf token > .well-known/acme &&
        printf 0123456789 > digits.txt && : > nothing.txt &&
        ln -s digits.txt link.txt && ln -s /etc/hostname out.txt &&
        ln -s /etc etc && mkfifo pipe && ln -s ../index.html sub/up.html]])
        :format(dir)) == 0)
    calls.write(dir .. "/large.bin", site.text(200000))
    assert(os.execute("cd " .. dir
        .. " && find . -type f | xargs touch -d @1000000000") == 0)
end

local function flatten(body, to)
    if type(body) == "table" and getmetatable(body) == part.type then
        to[#to + 1] = body.n > 0 and assert(body.file:pread(body.n,
            body.offset)) or ""
    elseif type(body) == "table" then
        for _, piece in ipairs(body) do
            flatten(piece, to)
        end
    else
        to[#to + 1] = body
    end
    return to
end

-- What a handler answers, as a server would send it, in a turn of its own.
function site.ask(handler, target, headers, method)
    quoll.sleep(1e-5)
    local path, query = target:match "^([^?]*)%??(.*)"
    local task = quoll.spawn(function()
        local status, body, fields = handler {
            method = method or "GET", path = path, querystring = query,
            target = target,
            header = function(_, name)
                assert(name == name:lower())
                return (headers or {})[name]
            end,
            header_values = function(_, name)
                return { (headers or {})[name] }
            end,
        }
        return { status = status, headers = fields, nobody = body == nil,
            body = table.concat(flatten(body, {})) }
    end)
    return task:wait(10)
end

-- Asks until the file's times tell every change from now on.
function site.settled(handler, target)
    local answer
    repeat
        answer = site.ask(handler, target)
        quoll.yield()
    until not answer.headers.ETag:find "^W/"
    return answer
end

-- A test's function: fn(dir) in a task; the folder is removed afterwards.
function site.with(fn)
    return function()
        calls.in_directory(function(dir)
            site.fill(dir)
            tasks.run(function() fn(dir) end)
            jit.flush() -- a trace keeps the handler that it was made for
        end)
    end
end

return site
