-- Bodies and headers that somebody has tampered with: read or refused with a
-- status, never another error, and the same whatever the pieces they come in.
-- QUOLL_TEST_SEED=n makes other ones.
local cookies = require "quoll.http.syntax.cookies"
local failure = require "quoll.http.failure"
local multipart = require "quoll.http.multipart"
local parameters = require "quoll.http.syntax.parameters"
local percent = require "quoll.http.syntax.percent"
local query = require "quoll.http.syntax.query"
local numbers = require "spec.support.random"

local SEED = tonumber(os.getenv "QUOLL_TEST_SEED") or 20221123
local ROUNDS = 1500

local random = numbers.new(SEED)

local function random_bytes(n)
    return numbers.bytes(random, n)
end

-- What has a meaning somewhere, put where it has not.
local words = { "\r\n", "\n", "\r", "\0", "--", "--b", "\r\n--b", "\r\n--b--",
    "\r\n\r\n", '"', "\\", "\\\"", ";", "=", "&", "%", "%4", "+", ": ", "/",
    "name=", 'filename="', "form-data", "Content-Disposition: ", " ", "," }

local changes = {
    function(text) return text end,
    function(text) return text:sub(1, random(#text + 1)) end,
    function(text, at) return text:sub(1, at) .. words[1 + random(#words)]
        .. text:sub(at + 1) end,
    function(text, at) return text:sub(1, at) .. random_bytes(1 + random(4))
        .. text:sub(at + 2) end,
    function(text, at)
        return text:sub(1, at) .. text:sub(at + 1 + random(9))
    end,
    function(text, at)
        local from = random(#text + 1)
        return text:sub(1, at) .. text:sub(from, from + random(40))
            .. text:sub(at + 1)
    end,
}

local function mutate(text)
    for _ = 1, 1 + random(3) do
        text = changes[1 + random(#changes)](text, random(#text + 1))
    end
    return text
end

-- All that a form gives, or the status that refuses it; pieces of up to `size`
-- bytes.
local function read(text, size)
    local got, at = {}, 1
    local ok, err = pcall(function()
        for part in multipart.parts(function()
            local piece = text:sub(at, at + random(size))
            at = at + #piece
            return piece ~= "" and piece or nil
        end, "b", { parts = 20, header = 110 }) do
            got[#got + 1] = { part.name, part.filename, part.type or false,
                part:body() }
        end
    end)
    if not ok then
        got.status = failure.status(err) or error(err, 0)
    end
    return got
end

describe("tampered bodies (seed " .. SEED .. ")", function()
    it("of forms are the same in any pieces", function()
        local form = '--b\r\nContent-Disposition: form-data; name="one"\r\n\r\n'
            .. 'value\r\n--b\r\nContent-Disposition: form-data; name="f"; '
            .. 'filename="a\\"b.txt"\r\nContent-Type: text/plain\r\n\r\n\r\n--'
            .. "\0\r\n--b--\r\n"
        local statuses = {}
        for _ = 1, ROUNDS do
            local text = mutate(form)
            local whole = read(text, #text + 1)
            assert.same(whole, read(text, 7), ("%q"):format(text))
            local key = tostring(whole.status)
            statuses[key] = (statuses[key] or 0) + 1
            for _, part in ipairs(whole) do
                assert.is_nil((part[2] or ""):find "[/\\%z\r\n]")
                assert.is_nil(part[1]:find "[%z\r\n]")
            end
        end
        assert.is_true(statuses["nil"] > 50 and statuses["400"] > 50)
        assert.is_true((statuses["431"] or 0) > 0)
    end)

    it("of queries are read, and written back are the same", function()
        for _ = 1, ROUNDS do
            local text = mutate "a=1&b=%20x%zz&c&a=+2&=v&d=%41%C3%A9&e=f=g"
            local first, all = query.parse_query(text)
            local written, pairs_read = {}, 0
            for name, values in pairs(all) do
                assert.equal(first[name], values[1])
                assert.same(values, query.values(text, name))
                for _, value in ipairs(values) do
                    pairs_read = pairs_read + 1
                    written[pairs_read] = percent.encode(name) .. "="
                        .. percent.encode(value)
                end
            end
            local _, again = query.parse_query(table.concat(written, "&"))
            assert.same(all, again)
            assert.is_truthy(query.parse_query(text, pairs_read))
            assert.is_nil(pairs_read > 0
                and query.parse_query(text, pairs_read - 1) or nil)
        end
    end)

    it("of cookies and parameters are read or refused", function()
        for _ = 1, ROUNDS do
            local text = mutate 'a=1; b="x y"; c=d=e; f=; =g; h'
            for name, value in pairs(cookies.parse(text)) do
                assert.is_nil(name:find "[=;%s]")
                assert.is_nil(value:find ";")
            end
            local kind, found = parameters.parse(mutate(
                'form-data; name="a\\"b"; filename="C:\\x"; c=d'))
            if kind then
                assert.is_nil(kind:find '[%s;"]')
                for name in pairs(found) do
                    assert.is_nil(name:find "[=;%s]")
                end
            end
        end
    end)
end)
