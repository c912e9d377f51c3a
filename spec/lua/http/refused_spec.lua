local helper = require "spec.helper"
local http = require "spec.support.http"
local lines = require "quoll.http.middleware.lines"
local quoll = require "quoll"
local refused = require "quoll.http.refused"

-- What is sent -> how the access log has it.
local cases = {
    ["GET /a?b HTTP/1.1\n\n"] = '"GET /a?b HTTP/1.1" 400',
    ["\nGET / HTTP/1.1\nHost: a\nHost: b\n\n"] = '"GET / HTTP/1.1" 400',
    ["GET / HTTP/3.0\nHost: a\n\n"] = '"GET / HTTP/3.0" 505',
    ["GET /" .. ("x"):rep(9000) .. " HTTP/1.1\nHost: a\n\n"] =
        '"GET /' .. ("x"):rep(74) .. ' HTTP/-" 414',
    ["GET /h HTTP/1.1\nHost: a\nX: " .. ("x"):rep(90000) .. "\n\n"] =
        '"GET /h HTTP/1.1" 431',
    ["POST /e HTTP/1.1\nHost: a\nExpect: x\nContent-Length: 1\n\n"] =
        '"POST /e HTTP/1.1" 417',
    ["POST /t HTTP/1.1\nHost: a\nTransfer-Encoding: x, chunked\n\n"] =
        '"POST /t HTTP/1.1" 501',
    ["\22\3\1\2\0\1 \"\n\n"] = '"- - HTTP/-" 400',
}

describe("lua/http/refused", function()
    helper.gates()

    -- What the log has of what `bytes` are answered with, and the answer.
    local function logged(bytes, opts)
        local noted = {}
        local line = lines.combined()
        opts = opts or {}
        opts.log = { record = function(_, req, status, size, seconds)
            noted[#noted + 1] = line(req, status, size, seconds)
            assert.is_nil(req:header "host")
        end }
        local answer
        http.run(function() return "never" end, opts, function(connect)
            local c = connect()
            c:say(bytes)
            answer = c:hear()
            c:ended()
            c.conn:close()
            while not noted[1] do quoll.sleep(0.001) end
        end)
        assert.equal(1, #noted)
        return (noted[1]:gsub("%[.-%]", "[now]")), answer
    end

    it("has what is known of each", function()
        for bytes, expected in pairs(cases) do
            local line, answer = logged(bytes)
            local status = tonumber(expected:match '" (%d+)')
            assert.equal(status, answer.status)
            assert.equal(("127.0.0.1 - - [now] %s %d \"-\" \"-\""):format(
                expected, #answer.body), line)
        end
    end)

    it("has what did not come in time", function()
        if helper.injected then
            pending "the close sends as much as goes: one byte"
        end
        local line, answer = logged("GET /slow HTT",
            { head_timeout = helper.seconds(0.05) })
        assert.equal(408, answer.status)
        assert.matches('"GET /slow HTTP/%-" 408 16', line)
    end)

    it("is not told of the next connection, which was not refused", function()
        local noted = 0
        local log = { record = function() noted = noted + 1 end }
        http.run(function() return "never" end, { log = log }, function(connect)
            for _, text in ipairs { "bad\n\n", "GE" } do
                local c = connect()
                c:say(text)
                c.conn:shutdown "send"
                c:ended()
                c.conn:close()
            end
        end)
        assert.equal(1, noted)
    end)

    it("takes a line apart as far as it is one", function()
        local whole = refused.new("::1", "PUT /p?q HTTP/1.0")
        assert.same({ "::1", "PUT", "/p?q", "/p", "1.0" }, { whole.peer,
            whole.method, whole.target, whole.path, whole.version })
        for line, method in pairs { ["GET /a HTTP/1.1 x"] = "GET",
            ["G(T / HTTP/1.1"] = false, [""] = false, ["GET"] = false } do
            local part = refused.new(nil, line)
            assert.equal(method or nil, part.method)
            assert.is_nil(part.version)
            assert.same({}, part.headers)
        end
    end)
end)
