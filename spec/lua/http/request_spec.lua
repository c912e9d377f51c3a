local failure = require "quoll.http.failure"
local request = require "spec.support.request"

local FORM = { ["content-type"] = "application/x-www-form-urlencoded" }

describe("quoll.http.request", function()
    it("has the query and the cookies", function()
        local req = request { target = "/a?x=1&y=%20&x=2",
            sent = { cookie = 'a=1; b="2"' } }
        assert.same({ x = "1", y = " " }, req.query)
        assert.same({ "1", "2" }, req:query_values "x")
        assert.same({}, req:query_values "z")
        assert.same({ a = "1", b = "2" }, req.cookies)
        assert.same({}, (request {}).query)
        assert.same({}, (request {}).cookies)
    end)

    it("reads JSON", function()
        assert.same({ a = { 1 } }, request({ content = '{"a":[1]}' }):json())
        assert.same({ nil, "body too large", "EMSGSIZE" },
            { request({ content = "[1,2]" }):json(4) })
        assert.same("EBADMSG", select(3, request({ content = "{" }):json()))
    end)

    it("reads forms", function()
        local first, all = request({ content = "a=1&b=%C3%A9&a=2",
            sent = FORM }):form()
        assert.same({ a = "1", b = "é" }, first)
        assert.same({ a = { "1", "2" }, b = { "é" } }, all)
        assert.same({ nil, "not a form", "EBADMSG" },
            { request({ content = "a=1" }):form() })
        assert.same({ nil, "too many fields", "EMSGSIZE" },
            { request({ content = "a&b&c", sent = FORM }):form {
                fields = 2 } })
        assert.same({ nil, "body too large", "EMSGSIZE" },
            { request({ content = "a=1", sent = FORM }):form { max = 2 } })
    end)

    it("reads uploads", function()
        local req = request { piece = 3, content = "--b\r\n"
            .. 'Content-Disposition: form-data; name="a"\r\n\r\none\r\n--b--',
            sent = { ["content-type"] = "multipart/form-data; boundary=b" } }
        local parts = req:multipart()
        assert.equal("one", parts():body())
        assert.is_nil(parts())
        assert.same({ nil, "not a multipart form", "EBADMSG" },
            { request({ sent = FORM }):multipart() })
        req.content = "x"
        local _, err = pcall(req:multipart())
        assert.equal(400, (failure.status(err)))
    end)

    it("refuses options that it does not know", function()
        assert.error_matches(function() request({}):form { x = 1 } end,
            "no option 'x'")
        assert.error_matches(function() request({}):multipart { x = 1 } end,
            "no option 'x'")
    end)
end)
