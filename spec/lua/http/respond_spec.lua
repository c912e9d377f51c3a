local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

-- Each path fails in a way of its own.
local function failing(req)
    if req.path == "/taken" then
        assert(req:hijack())
        error "late"
    elseif req.path == "/closed" then
        req:hijack():close()
        error "closed"
    elseif req.path == "/two" then
        return {}, "x"
    end
    return nil, "why"
end

describe("lua/http/respond", function()
    helper.gates()

    it("ends what the handler has opened, deferred and started", function()
        local log, opened = {}, nil
        http.run(function(req)
            if req.id == 1 then
                quoll.defer(function() log[#log + 1] = "first" end)
                opened = quoll.udp()
                quoll.defer(function()
                    log[#log + 1] = opened:getfd() and "second, open"
                end)
                quoll.spawn(function()
                    quoll.sleep(0.01)
                    log[#log + 1] = "child"
                end)
                return "one"
            end
            log[#log + 1] = "next"
            return opened:getfd() and "open" or "closed"
        end, nil, function(connect)
            local c = connect()
            c:say((GET .. GET):format("a", "b"))
            assert.equal("one", c:hear().body)
            assert.equal("closed", c:hear().body)
            assert.same({ "child", "second, open", "first", "next" }, log)
        end)
    end)

    it("answers before what the handler has started ends", http.with(
        function()
            quoll.spawn(quoll.sleep, 0.2)
            return "early"
        end, nil, function(connect)
            local began = quoll.now()
            assert.equal("early", http.ask(connect, GET:format "").body)
            assert.truthy(quoll.now() - began < 0.2 or helper.sanitized
                or helper.injected)
        end))

    it("tells whose request has failed, and why", function()
        local seen = {}
        http.run(failing, { onerror = function(err, traceback, where)
            seen[#seen + 1] = where:gsub(":%d+$", ":port") .. ": "
                .. tostring(err):gsub("^.*:%d+: ", "")
            assert.equal("string", type(traceback))
        end }, function(connect)
            local from = ", from 127.0.0.1:port: "
            local long = ("x"):rep(100)
            for path, expected in pairs {
                none = "GET /none HTTP/1.1" .. from
                    .. "the handler has returned nil, why",
                two = "GET /two HTTP/1.1" .. from .. "the handler has returned"
                    .. " a table and a string behind it; a status comes first",
                taken = "a request that was taken" .. from .. "late",
                closed = "a request that was taken, from who has left: closed",
                [long] = ("GET /" .. long):sub(1, 79) .. from
                    .. "the handler has returned nil, why",
            } do
                local c = connect()
                c:say(GET:format(path))
                if path == "taken" or path == "closed" then
                    assert.equal("", (c:ended()))
                else
                    assert.equal(500, c:hear().status)
                end
                assert.same({ expected }, seen)
                seen = {}
            end
        end)
    end)

    it("logs both errors when onerror raises, and answers", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local l = assert(quoll.listen "127.0.0.1:0")
                quoll.spawn(quoll.http.serve, l, function()
                    error "of the handler"
                end, { onerror = function() error "of onerror" end })
                local url = "http://" .. l:address()
                print(quoll.http.get(url).status, quoll.http.get(url).status)
                quoll.stop()
            end)
        ]]
        assert.equal("500\t500\n", result.out, result.err)
        local where = "GET / HTTP/1.1, from 127.0.0.1:%d+: [^\n]*: "
        for text in pairs { ["'onerror' failed: " .. where .. "of onerror"] = 1,
            ["a handler failed: " .. where .. "of the handler"] = 1 } do
            assert.equal(2, select(2, result.err:gsub("%[error%] %d+: http: "
                .. text .. "\n\tstack traceback:\n", "")), result.err)
        end
    end)

    it("notes a request that was taken as 101", function()
        local noted = {}
        http.run(function(req)
            local conn = assert(req:hijack())
            conn:send "mine"
            conn:close()
        end, { log = { record = function(_, req, status, bytes)
            noted[#noted + 1] = { req.path, status, bytes }
        end }, onerror = error }, function(connect)
            local c = connect()
            c:say(GET:format "ws")
            assert.equal("mine", (c:ended()))
        end)
        assert.same({ { "/ws", 101, 0 } }, noted)
    end)

    it("keeps quiet about an error after the head has left", function()
        local seen
        http.run(function()
            local n = 0
            return 200, function()
                n = n + 1
                if n == 2 then
                    return nil, "no more"
                end
                return "piece"
            end
        end, { onerror = function(err) seen = err end }, function(connect)
            local c = connect()
            c:say(GET:format "")
            local all = c:ended()
            assert.truthy(all:find("5\r\npiece\r\n", 1, true))
            assert.falsy(all:find("0\r\n\r\n", 1, true))
        end)
        assert.is_nil(seen)
    end)
end)
