local helper = require "spec.helper"
local calls = require "spec.support.calls"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"
local SIZE = 300000
local TEXT = ("0123456789"):rep(SIZE / 10)

describe("bindings/http/part", function()
    helper.gates()

    -- fn(connect) beside a server whose handlers are of a file's path.
    local function serving(answers, fn)
        calls.in_directory(function(dir)
            local path = dir .. "/text"
            calls.write(path, TEXT)
            http.run(function(req)
                return answers[req.path:sub(2)](path, req)
            end, nil, function(connect)
                fn(connect)
            end)
        end)
    end

    local function part(path, offset, n)
        return quoll.http.part(assert(quoll.open(path)), offset, n)
    end

    local ANSWERS = {
        whole = function(path) return 200, part(path), { ["X-A"] = "b" } end,
        middle = function(path)
            return 206, part(path, 10, 20), { ["content-type"] = "a/b" }
        end,
        none = function(path) return 200, part(path, 5, 0), {} end,
        bare = function(path) return 200, part(path, 0, 10) end,
        more = function(path)
            quoll.defer(function() end)
            return 200, part(path, 0, 5), {}
        end,
        two = function(path)
            local other = assert(quoll.open(path))
            local body = part(path, 0, 5)
            assert(other:pread(1, 0))
            return 200, body, {}
        end,
        long = function(path) return 200, part(path, SIZE - 5, 100), {} end,
        odd = function(path)
            return 200, part(path, 0, 5), { ["bad name"] = "x" }
        end,
    }

    it("is sent behind its head, and its file is closed", function()
        serving(ANSWERS, function(connect)
            local c = connect()
            for _ = 1, 2 do
                for name, expected in pairs { whole = TEXT,
                    middle = TEXT:sub(11, 30), none = "",
                    bare = "0123456789", more = "01234", two = "01234" }
                do
                    c:say(GET:format(name))
                    local answer = c:hear()
                    assert.equal(expected, answer.body, name)
                    assert.equal(name == "middle" and 206 or 200,
                        answer.status)
                    assert.equal(name == "whole",
                        answer.head:find("X-A: b", 1, true) ~= nil)
                end
            end
            c:say(GET:format "none") -- behind it all of the others have ended
            c:hear()
            assert.equal(0, quoll.stats().files.live)
            c.conn:close()
        end)
    end)

    it("leaves pipelined, in order, and not for HEAD", function()
        serving(ANSWERS, function(connect)
            local c = connect()
            local get = GET:format "middle"
            local sender = quoll.spawn(c.say, c, (get .. GET:format "whole")
                :rep(3) .. GET:format "whole":gsub("GET", "HEAD") .. get)
            for _ = 1, 3 do
                assert.equal(TEXT:sub(11, 30), c:hear().body)
                assert.equal(TEXT, c:hear().body)
            end
            assert.matches("Content%-Length: " .. SIZE, c:hear(true).head)
            assert.equal(TEXT:sub(11, 30), c:hear().body)
            sender:wait()
            c.conn:close()
        end)
    end)

    it("ends the connection where the file ends before it", function()
        serving(ANSWERS, function(connect)
            local c = connect()
            c:say(GET:format "long")
            local all, _, partial = c:ended()
            assert.matches("Content%-Length: 100\r\n\r\n56789$",
                all or partial)
            c.conn:close()
        end)
    end)

    it("is no answer under a bad header", function()
        local told
        calls.in_directory(function(dir)
            calls.write(dir .. "/text", TEXT)
            http.run(function() return ANSWERS.odd(dir .. "/text") end,
                { onerror = function(err) told = err end },
                function(connect)
                    assert.equal(500, http.ask(connect, GET:format "").status)
                end)
        end)
        assert.matches("a header's name is no token", told)
    end)
end)
