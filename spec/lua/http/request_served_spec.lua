-- Bodies and fields of requests that come over a connection.
local asking = require "spec.support.asking"
local folders = require "spec.support.folders"
local helper = require "spec.helper"
local http = require("quoll").http
local quoll = require "quoll"

local ask, with = asking.ask, asking.with

local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local UPLOAD = { ["Content-Type"] = "multipart/form-data; boundary=b" }

local function part(name, content, filename)
    return ('--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n')
        :format(name, filename and ('; filename="%s"'):format(filename) or "",
            content)
end

describe("a request that is served", function()
    helper.gates()
    helper.silent()

    it("has its query and its cookies", with(function(req)
        assert(req.query == req.query) -- made once
        return table.concat({ req.query.a, req.query.b, req.cookies.c,
            #req:query_values "a" }, " ")
    end, function(connect)
        assert.equal("1 x y z 2", ask(connect(), "GET /?a=1&b=x+y&a=3",
            { Cookie = "c=z" }).body)
    end))

    it("has JSON", with(function(req)
        local value, err, code = req:json(20)
        if value then
            return http.json(value)
        end
        return http.fail(400, code .. " " .. err)
    end, function(connect)
        local conn = connect()
        local res = ask(conn, "POST /", nil, '{"a":[1,2]}')
        assert.equal('{"a":[1,2]}', res.body)
        assert.equal("application/json", res.headers["content-type"])
        assert.matches("^EBADMSG invalid json", ask(conn, "POST /", nil,
            "{").body)
        assert.equal("EMSGSIZE body too large", ask(conn, "POST /", nil,
            ('"%s"'):format(("x"):rep(30))).body)
    end))

    it("has a form", with(function(req)
        local first, all = req:form()
        if first then
            return first.a .. #all.a
        end
        return http.fail(415, all)
    end, function(connect)
        local conn = connect()
        assert.equal("é2", ask(conn, "POST /", FORM, "a=%C3%A9&a=").body)
        assert.equal(415, ask(conn, "POST /", nil, "a=1").status)
    end))

    it("answers a raised failure, and goes on", with(function(req)
        if req.path == "/deep" then
            http.raise(409, "not now")
        end
        return "fine"
    end, function(connect)
        local conn = connect()
        local res = ask(conn, "GET /deep")
        assert.same({ 409, "not now" }, { res.status, res.body })
        assert.equal("fine", ask(conn, "GET /").body)
    end))
end)

describe("an upload that is served", function()
    helper.gates()
    helper.silent()
    local dir

    before_each(function() dir = folders.make() end)
    after_each(function() folders.remove(dir) end)

    local function handler(req)
        local got = {}
        for each in assert(req:multipart { parts = 5 }) do
            if each.filename then
                got[#got + 1] = assert(each:save(dir .. "/" .. each.filename))
            elseif each.name ~= "skipped" then
                got[#got + 1] = each:body()
            end
        end
        return table.concat(got, " ")
    end

    it("is saved as it comes, in pieces", with(handler, function(connect)
        local big = ("0123456789abcdef\r\n--"):rep(20000)
        local conn = connect()
        for _ = 1, 2 do -- the connection goes on
            local res = ask(conn, "POST /", UPLOAD, part("a", "one")
                .. part("skipped", ("s"):rep(100000))
                .. part("f", big, "../up.bin") .. part("z", "two")
                .. "--b--\r\n")
            assert.equal("one " .. #big .. " two", res.body)
            assert.equal(big, quoll.fs.readfile(dir .. "/up.bin"))
        end
    end))

    it("is refused when it is malformed or too much", with(handler,
        function(connect)
            for status, body in pairs { [400] = part("a", "x") .. "--c",
                [413] = part("a", "x"):rep(6) .. "--b--",
                [431] = part(("x"):rep(9000), "x") .. "--b--" } do
                assert.equal(status, ask(connect(), "POST /", UPLOAD,
                    body).status)
            end
        end))

    it("that is cut or stalls is the client's fault: nothing is logged",
        function()
            local failed
            with(function(req) return handler(req) end, function(connect)
                local conn = connect()
                for name, value in pairs(UPLOAD) do
                    assert(conn:send { "POST / HTTP/1.1\r\nHost: a\r\n", name,
                        ": ", value, "\r\nContent-Length: 900\r\n\r\n--b" })
                end
                assert.equal("HTTP/1.1 408 Request Timeout",
                    conn:receive "*l")
                local res = ask(connect(), "POST /", UPLOAD,
                    ("x"):rep(300))
                assert.equal(400, res.status)
            end, { body_timeout = 0.05, onerror = function(err)
                failed = err
            end })()
            assert.is_nil(failed)
        end)
end)
