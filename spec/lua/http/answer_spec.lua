local answer = require "quoll.http.answer"
local pair = require "spec.support.pair"

local TEXT = { ["content-type"] = "text/plain; charset=utf-8" }

local function refuses(fn, words)
    pair.raises(fn, "answer_spec.lua:%d+: bad argument " .. words)
end

describe("quoll.http.answer", function()
    it("makes JSON", function()
        assert.same({ 200, '{"a":[1,"x"]}',
            { ["content-type"] = "application/json" } },
            { answer.json { a = { 1, "x" } } })
        assert.same({ 201, "1", { ["Content-Type"] = "a/b", X = "y" } },
            { answer.json(1, 201, { ["Content-Type"] = "a/b", X = "y" }) })
        refuses(function() return (answer.json(print)) end, "'value' to 'json'")
        refuses(function() return (answer.json(1, 99)) end, "'status' to")
        refuses(function() return (answer.json(1, 200, 1)) end, "'headers' to")
    end)

    it("makes pages and text", function()
        assert.same({ 200, "<p>",
            { ["content-type"] = "text/html; charset=utf-8" } },
            { answer.html "<p>" })
        assert.same({ 202, "t", TEXT }, { answer.text("t", 202) })
        local headers = { a = "b" }
        answer.text("t", 200, headers)
        assert.same({ a = "b" }, headers)
    end)

    it("redirects", function()
        assert.same({ 302, "", { location = "/a?b" } },
            { answer.redirect "/a?b" })
        assert.same({ 308, "", { location = "x" } },
            { answer.redirect("x", 308) })
        for _, bad in ipairs { "", "/a\r\nSet-Cookie: x", "/\n", "/\0", "/a b",
            "\tx", 1 } do
            refuses(function() return (answer.redirect(bad)) end,
                "'url' to 'redirect'")
        end
        refuses(function() return (answer.redirect("/", 304)) end,
            "'status' to 'redirect'")
    end)

    it("fails", function()
        assert.same({ 404, "no cat", TEXT }, { answer.fail(404, "no cat") })
        assert.equal("Not Found\n", (select(2, answer.fail(404))))
        for _, bad in ipairs { 200, 600, "404" } do
            refuses(function() return (answer.fail(bad)) end,
                "'status' to 'fail'")
        end
    end)
end)

describe("http.normal", function()
    it("gives every result one form", function()
        assert.same({ 200, "x", TEXT }, { answer.normal "x" })
        assert.same({ 204, nil, {} }, { answer.normal(204) })
        assert.same({ 200, 5, { ["x-y"] = { "a" }, etag = false } },
            { answer.normal(200, 5, { ["X-Y"] = { "a" }, ETag = false }) })
        assert.equal(0, select("#", answer.normal()) - 1)
        assert.is_nil((answer.normal()))
    end)

    it("copies the headers", function()
        local given = { a = "b" }
        local _, _, headers = answer.normal(200, "", given)
        headers.c = "d"
        assert.same({ a = "b" }, given)
    end)
end)
