local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run
local SIGINT = 2

-- A running example and the address it prints.
local function serving(example, args)
    local child = helper.start("examples/" .. example .. ".lua", args)
    local address = (child:line() or ""):match "^listening on (%S+)$"
    if not address then
        error(helper.finish_script(child, 0).err)
    end
    return child, address
end

-- Ctrl-C: it says so and ends well.
local function stop(child)
    child:kill(SIGINT)
    local result = helper.finish_script(child)
    assert.matches("stopped\n$", result.out)
    assert.equal("", result.err)
    assert.equal(0, result.code)
    return result
end

local function connect(address)
    local conn = assert(quoll.connect(address))
    conn:settimeout(5)
    return conn
end

describe("examples/echo.lua", function()
    helper.gates()

    it("sends back what comes, to many at once", function()
        local child, address = serving "echo"
        run(function()
            local conns = {}
            for i = 1, 20 do
                conns[i] = connect(address)
            end
            for i, conn in ipairs(conns) do
                assert(conn:send("line " .. i .. "\n"))
            end
            for i, conn in ipairs(conns) do
                assert.equal("line " .. i, conn:receive "*l")
            end
            local big = ("0123456789abcdef"):rep(16384)
            local sender = quoll.spawn(conns[1].send, conns[1], big)
            assert.is_true(big == conns[1]:receive(#big))
            assert(sender:wait())
        end, 20)
        stop(child)
    end)
end)

describe("examples/tls_echo.lua", function()
    helper.gates()

    it("speaks TLS with a client of its own, and with others", function()
        local child, address = serving("tls_echo", { "127.0.0.1:0" })
        assert.equal("hello, this is TLSv1.3", child:line())
        run(function()
            local conn = assert(quoll.connect(address, { timeout = 10,
                tls = { verify = false } }))
            conn:settimeout(10)
            assert(conn:send "again\n")
            assert.equal("hello, this is TLSv1.3", conn:receive())
            assert.equal("again", conn:receive())
        end, 20)
        stop(child)
    end)
end)

describe("examples/graceful.lua", function()
    helper.gates()

    it("answers what has come, then stops", function()
        local child, address = serving "graceful"
        run(function()
            local idle, busy = connect(address), connect(address)
            for _, conn in ipairs { idle, busy } do
                conn:send "0\n"
                assert.equal("worked 0 s", conn:receive())
            end
            busy:send "0.05\n0\n"
            child:kill(15)
            assert.equal("worked 0.05 s\nworked 0 s\n", busy:receive "*a")
            assert.equal("", idle:receive "*a")
        end, 20)
        local result = helper.finish_script(child)
        assert.equal("all requests are answered\nstopped\n", result.out)
        assert.same({ "", 0 }, { result.err, result.code })
    end)
end)

describe("examples/chat.lua", function()
    helper.gates()

    it("passes each line to everybody else", function()
        local child, address = serving "chat"
        run(function()
            local function join(name)
                local conn = connect(address)
                assert.equal("your name? ", conn:receive(11))
                conn:send(name .. "\n")
                return conn
            end
            local ann = join "ann"
            local ben = join "ben"
            assert.equal("* ben is here", ann:receive "*l")
            ben:send "hello\nthere\n"
            assert.equal("ben: hello", ann:receive "*l")
            assert.equal("ben: there", ann:receive "*l")
            ann:send "hi\n"
            assert.equal("ann: hi", ben:receive "*l")
            ben:close()
            assert.equal("* ben has left", ann:receive "*l")
        end)
        stop(child)
    end)
end)

describe("examples/timers.lua", function()
    it("prints what it promises", function()
        local result = helper.script "examples/timers.lua"
        local said = result.out:gsub(" *%d+%.%d s  ", "")
        assert.equal("", result.err)
        assert.equal(0, result.code)
        assert.matches("^tick 1\n", said)
        assert.matches("\nonce, after 0.3 s\n", said)
        assert.matches("\nslept 0.4 s in a task of its own\n", said)
        assert.not_matches("never", said)
        assert.matches("\nthe ticker is %a+ after [34] ticks\n$", said)
    end)
end)

describe("examples/tail.lua", function()
    it("prints a file and what is appended to it", function()
        local path = tasks.file "one\ntwo\n"
        finally(function() os.remove(path) end)
        local child = helper.start("examples/tail.lua", { path })
        assert.equal("one", child:line())
        assert.equal("two", child:line())
        local out = io.open(path, "a")
        for _, line in ipairs { "three", ("x"):rep(200000) } do
            out:write(line, "\n")
            out:flush()
            assert.is_true(line == child:line())
        end
        out:close()
        child:kill(SIGINT)
        local result = helper.finish_script(child)
        assert.equal("", result.err)
        assert.equal(0, result.code)
    end)

    it("starts over when it is truncated, ends when it is gone", function()
        local path = tasks.file "one\ntwo\n"
        local child = helper.start("examples/tail.lua", { path })
        assert.equal("one", child:line())
        assert.equal("two", child:line())
        io.open(path, "w"):close()
        local out = io.open(path, "a")
        out:write("three\n")
        out:close()
        assert.equal("three", child:line())
        os.remove(path)
        local result = helper.finish_script(child)
        assert.equal(("%s: file truncated\n%s: file gone\n")
            :format(path, path), result.err)
        assert.equal(0, result.code)
    end)

    it("says what is wrong", function()
        local result = helper.script("examples/tail.lua", { "/no/such" })
        assert.equal("tail: /no/such: no such file or directory\n",
            result.err)
        assert.equal(1, result.code)
        assert.equal(2, helper.script("examples/tail.lua").code)
    end)
end)

describe("examples/file_server.lua", function()
    helper.gates()

    local big = {}
    for i = 1, 40000 do
        big[i] = string.char(i % 256, i % 251, i % 13) .. i
    end
    big = table.concat(big)

    local function write(folder, name, content)
        local out = assert(io.open(folder .. "/" .. name, "wb"))
        out:write(content)
        out:close()
    end

    -- fn(address, folder) in a task while a folder is served.
    local function serve(fn, seconds)
        local folder = os.tmpname()
        os.remove(folder)
        assert.equal(0, os.execute("mkdir " .. folder))
        write(folder, "index.html", "<p>hello</p>\n")
        write(folder, "big file.bin", big)
        write(folder, "empty.txt", "")
        assert.equal(0, os.execute(("ln -s /etc %s/out && mkdir %s/sub")
            :format(folder, folder)))
        local child, address = serving("file_server",
            { "127.0.0.1:0", folder })
        local ok, err = pcall(run, function()
            return fn(address, folder)
        end, seconds)
        os.execute("rm -r " .. folder)
        stop(child)
        assert(ok, err)
    end

    -- One answer: status, headers, body.
    local function answer(conn, bodyless)
        local status = assert(conn:receive "*l"):match "^HTTP/1.1 (%d+) "
        local headers = {}
        for line in conn:lines() do
            if line == "" then
                break
            end
            local name, value = line:match "^([%w-]+): (.*)$"
            headers[name:lower()] = value
        end
        local length = tonumber(headers["content-length"])
        local body = not bodyless and length > 0 and conn:receive(length)
            or ""
        return tonumber(status), headers, body
    end

    local function ask(conn, method, target, more)
        assert(conn:send(method .. " " .. target .. " HTTP/1.1\r\n"
            .. "Host: x\r\n" .. (more or "") .. "\r\n"))
        return answer(conn, method == "HEAD")
    end

    it("serves files byte for byte over one connection", function()
        serve(function(address)
            local conn = connect(address)
            local status, headers, body = ask(conn, "GET", "/")
            assert.same({ 200, "<p>hello</p>\n" }, { status, body })
            assert.matches("^text/html", headers["content-type"])
            assert.equal("keep-alive", headers.connection)
            status, headers, body = ask(conn, "GET", "/big%20file.bin?x=1")
            assert.equal(200, status)
            assert.equal("application/octet-stream", headers["content-type"])
            assert.is_true(body == big)
            status, headers, body = ask(conn, "GET", "/empty.txt")
            assert.same({ 200, "0", "" },
                { status, headers["content-length"], body })
        end, 10)
    end)

    it("answers HEAD without a body", function()
        serve(function(address)
            local conn = connect(address)
            local status, headers = ask(conn, "HEAD", "/big%20file.bin")
            assert.same({ 200, tostring(#big) },
                { status, headers["content-length"] })
            assert.equal(404, (ask(conn, "HEAD", "/none")))
            assert.equal(200, (ask(conn, "GET", "/")))
        end)
    end)

    it("refuses what is not there and what lies outside", function()
        serve(function(address)
            local conn = connect(address)
            assert.equal(404, (ask(conn, "GET", "/none")))
            assert.equal(200, (ask(conn, "GET", "/index.html")))
            for _, target in ipairs { "/../LICENSE", "/%2e%2e/LICENSE",
                "/a/../../x", "/..", "/..%2fx", "/a%00b", "/out/passwd",
                "/sub" } do
                assert.equal(404, (ask(conn, "GET", target)), target)
            end
            assert.equal(400, (ask(connect(address), "GET", "x")))
            local refused = connect(address)
            assert.equal(405, (ask(refused, "POST", "/")))
        end)
    end)

    it("closes when it is asked to, and goes on with others", function()
        serve(function(address)
            local conn = connect(address)
            local status, headers = ask(conn, "GET", "/",
                "Connection: close\r\n")
            assert.same({ 200, "close" }, { status, headers.connection })
            assert.is_nil((conn:receive(1)))
            local bad = connect(address)
            bad:send "nonsense\r\n\r\n"
            assert.equal("HTTP/1.1 400", (bad:receive(12)))
            assert.equal(200, (ask(connect(address), "GET", "/")))
        end)
    end)

    it("takes no body for the next request", function()
        serve(function(address)
            local conn = connect(address)
            local status, headers = ask(conn, "GET", "/",
                "Content-Length: 28\r\n")
            assert.same({ 200, "close" }, { status, headers.connection })
            conn:send "GET /p.txt HTTP/1.1\r\n\r\n"
            assert.is_nil((conn:receive(1)))
        end)
    end)

    it("answers requests that were sent at once, in order", function()
        serve(function(address)
            local conn = connect(address)
            conn:send(("GET /index.html HTTP/1.1\r\n\r\n"):rep(20)
                .. "GET /none HTTP/1.1\r\n\r\n")
            for _ = 1, 20 do
                assert.equal(200, (answer(conn)))
            end
            assert.equal(404, (answer(conn)))
        end)
    end)

    it("serves many at once", function()
        serve(function(address)
            local clients = {}
            for i = 1, 32 do
                clients[i] = quoll.spawn(function()
                    local _, _, body = ask(connect(address), "GET",
                        "/big%20file.bin")
                    return body == big
                end)
            end
            for i = 1, 32 do
                assert.is_true(clients[i]:wait())
            end
        end, 20)
    end)

    it("says what is wrong with its folder", function()
        local result = helper.script("examples/file_server.lua",
            { "127.0.0.1:0", "/no/such" })
        assert.equal("file_server: /no/such: no such file or directory\n",
            result.err)
        assert.equal(1, result.code)
    end)

    it("says what is wrong with its address", function()
        serve(function(address, folder)
            local result = helper.script("examples/file_server.lua",
                { address, folder })
            assert.matches("\nfile_server: " .. address:gsub("%p", "%%%0")
                .. ": address already in use\n$", result.err)
            assert.equal(1, result.code)
        end)
    end)
end)

describe("examples/pipeline.lua", function()
    helper.gates()

    it("counts the words of many files, and says which it cannot read",
        function()
            local paths, expected = { "/no/such" }, 0
            for i = 1, 20 do
                paths[#paths + 1] = tasks.file(("two words\n"):rep(i))
                expected = expected + 2 * i
            end
            local result = helper.script("examples/pipeline.lua", paths)
            for i = 2, #paths do
                assert.truthy(result.out:find(("%8d  %s\n"):format(2 * (i - 1),
                    paths[i]), 1, true))
                os.remove(paths[i])
            end
            assert.matches(expected .. "  words in all\n$", result.out)
            assert.equal("pipeline: /no/such: no such file or directory\n",
                result.err)
            assert.equal(0, result.code)
        end)
end)

describe("examples/race.lua", function()
    helper.gates()

    local function race(seconds, ...)
        return helper.script("examples/race.lua", { "hello", seconds, ... })
    end

    -- Its kernel accepts, and nobody else.
    local function silent()
        return assert(quoll.listen "127.0.0.1:0")
    end

    it("takes the first answer, past a dead server and a silent one",
        function()
            local child, good = serving("echo", { "127.0.0.1:0" })
            local mute = silent()
            local result = race("10", "127.0.0.1:1", mute:address(), good)
            mute:close()
            assert.equal(("hello  (%s)\n"):format(good), result.out)
            assert.equal("race: 127.0.0.1:1: connection refused\n", result.err)
            assert.equal(0, result.code)
            stop(child)
        end)

    it("says that there is none, or none in time", function()
        local mute = silent()
        local result = race("0.05", mute:address())
        mute:close()
        assert.equal("race: too late\n", result.err)
        assert.equal(1, result.code)
        result = race("10", "127.0.0.1:1")
        assert.matches("race: no answer\n$", result.err)
        assert.equal(1, result.code)
    end)

    it("says how it is used", function()
        local result = helper.script "examples/race.lua"
        assert.matches("^usage: ", result.err)
        assert.equal(2, result.code)
    end)
end)

describe("examples/discover.lua", function()
    helper.gates()

    it("finds everybody who answers", function()
        local group = "239.255.77.77:"
        local one = helper.start("examples/discover.lua",
            { "serve", "one", group .. 0, "lo" })
        local port = one:line():match "^answering as one on port (%d+)$"
        local two = helper.start("examples/discover.lua",
            { "serve", "two", group .. port, "lo" })
        assert.is_string(two:line())
        local result = helper.script("examples/discover.lua",
            { "find", group .. port, "lo" })
        stop(one)
        stop(two)
        assert.equal("", result.err)
        local found = {}
        for name in result.out:gmatch "(%a+)\t[%d.]+\n" do
            found[#found + 1] = name
        end
        table.sort(found)
        assert.same({ "one", "two" }, found)
    end)

    it("says how it is used", function()
        local result = helper.script "examples/discover.lua"
        assert.matches("usage: discover.lua", result.err)
        assert.equal(1, result.code)
    end)
end)

describe("examples/api.lua", function()
    helper.gates()

    it("keeps notes, and tells of them", function()
        local asking = require "spec.support.asking"
        local child, address = serving("api", { "127.0.0.1:0" })
        run(function()
            local conn, news = connect(address), connect(address)
            asking.begin(news, "GET /events")
            local res = asking.ask(conn, "POST /notes", nil, '{"text":"milk"}')
            assert.same({ 201, "/notes/1" }, { res.status,
                res.headers.location })
            assert.equal("event: note\nid: 1\ndata: milk\n\n",
                asking.chunk(news))
            asking.ask(conn, "PUT /notes/1", nil, '{"text":"tea"}')
            assert.matches('"text":"tea"', asking.ask(conn,
                "GET /notes/1").body)
            assert.matches('"count":1', asking.ask(conn, "GET /notes").body)
            for status, line in pairs { [404] = "GET /notes/2",
                [405] = "PATCH /notes", [204] = "DELETE /notes/1",
                [308] = "GET /notes/1/", [400] = "POST /notes" } do
                assert.equal(status, asking.ask(conn, line).status, line)
            end
        end, 20)
        stop(child)
    end)
end)

describe("examples/ws_chat.lua", function()
    helper.gates()

    -- The next message of each that is text.
    local function hear(members, text)
        for _, ws in ipairs(members) do
            assert.equal(text, (ws:receive(5)))
        end
    end

    it("hands each message to everybody, in a browser and a terminal",
        function()
            local child, address = serving("ws_chat", { "127.0.0.1:0" })
            local url = "ws://" .. address .. "/chat"
            run(function()
                local page = assert(quoll.http.get("http://" .. address .. "/"))
                assert.truthy(page:body():find("new WebSocket", 1, true))
                local anna = assert(quoll.http.websocket(url .. "?name=anna"))
                hear({ anna }, "anna is here")
                local terminal = helper.start("examples/ws_chat.lua",
                    { url, "ben" })
                hear({ anna }, "ben is here")
                assert.equal("ben is here", terminal:line())
                anna:send "hello"
                hear({ anna }, "anna: hello")
                assert.equal("anna: hello", terminal:line())
                terminal:write "hi there\n"
                hear({ anna }, "ben: hi there")
                terminal:kill(SIGINT)
                helper.finish_script(terminal)
                hear({ anna }, "ben has left")
                assert.is_true(anna:close())
            end, 20)
            stop(child)
        end)
end)

describe("examples/embed_luv.lua", function()
    helper.gates()

    it("serves while luv's timers tick", function()
        local child, address = serving "embed_luv"
        run(function()
            local seen
            repeat
                local res = assert(quoll.http.get("http://" .. address))
                seen = tonumber(res:body():match "ticked (%d+) times\n$")
            until seen > 0
        end)
        stop(child)
    end)
end)

describe("examples/embed_cqueues.lua", function()
    it("asks a server of quoll's from either side", function()
        local result = helper.script("examples/embed_cqueues.lua")
        assert.equal("QUOLL IN CQUEUES\nCQUEUES IN QUOLL\n", result.out)
        assert.equal("", result.err)
    end)
end)
