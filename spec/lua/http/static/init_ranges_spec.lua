local helper = require "spec.helper"
local site = require "spec.support.site"
local static = require("quoll.http.static").static

local ask = site.ask

describe("quoll.http.static: ranges and conditions", function()
    helper.gates()

    -- The same of a file in memory and of one by its descriptor.
    local function both(fn)
        return site.with(function(dir)
            for _, path in ipairs { "/digits.txt", "/large.bin" } do
                local handler = static(dir)
                local whole = site.settled(handler, path)
                fn(function(headers)
                    return ask(handler, path, headers)
                end, whole.body, whole.headers)
            end
        end)
    end

    it("sends one range", both(function(get, body)
        for range, expected in pairs { ["bytes=2-5"] = body:sub(3, 6),
            ["bytes=-3"] = body:sub(-3), ["bytes=0-"] = body,
            ["bytes=7-9999999"] = body:sub(8), ["bytes=0-0"] = "0" }
        do
            local answer = get { range = range }
            assert.equal(206, answer.status)
            assert.equal(expected, answer.body)
            assert.equal(#body, tonumber(
                answer.headers["Content-Range"]:match "^bytes %d+%-%d+/(%d+)$"))
        end
        assert.equal("bytes 2-5/" .. #body,
            get({ range = "bytes=2-5" }).headers["Content-Range"])
    end))

    it("sends several as parts", both(function(get, body, headers)
        local answer = get { range = "bytes=1-2,-2" }
        assert.equal(206, answer.status)
        local mark = answer.headers["Content-Type"]:match
            "^multipart/byteranges; boundary=(%S+)$"
        local part = "--%s\r\nContent-Type: %s\r\nContent-Range: bytes "
            .. "%d-%d/%d\r\n\r\n%s\r\n"
        local kind, n = headers["Content-Type"], #body
        assert.equal(part:format(mark, kind, 1, 2, n, body:sub(2, 3))
            .. part:format(mark, kind, n - 2, n - 1, n, body:sub(-2))
            .. "--" .. mark .. "--\r\n", answer.body)
        assert.is_nil(answer.headers["Content-Range"])
        assert.equal(body:sub(1, 5), get({ range = "bytes=0-2,1-4" }).body)
    end))

    it("says when there is no such range", both(function(get, body)
        local answer = get { range = "bytes=9999999-" }
        assert.equal(416, answer.status)
        assert.equal("bytes */" .. #body, answer.headers["Content-Range"])
    end))

    it("sends the whole when the range makes no sense",
        both(function(get, body)
            for _, range in ipairs { "bytes=a", "lines=1-2", "bytes=5-2",
                "bytes=" .. ("0-0,"):rep(17) }
            do
                assert.equal(200, get({ range = range }).status)
                assert.equal(body, get({ range = range }).body)
            end
        end))

    it("keeps to If-Range", both(function(get, _, headers)
        local function status(value)
            return get({ range = "bytes=1-2", ["if-range"] = value }).status
        end
        assert.equal(206, status(headers.ETag))
        assert.equal(206, status(site.MODIFIED))
        assert.equal(200, status '"other"')
        assert.equal(200, status("W/" .. headers.ETag))
        assert.equal(200, status "Sun, 09 Sep 2001 01:46:41 GMT")
    end))

    it("sends nothing to who has it", both(function(get, _, headers)
        for _, condition in ipairs { { ["if-none-match"] = headers.ETag },
            { ["if-modified-since"] = site.MODIFIED } }
        do
            local answer = get(condition)
            assert.equal(304, answer.status)
            assert.is_true(answer.nobody)
            assert.same({ ETag = headers.ETag,
                ["Last-Modified"] = site.MODIFIED }, answer.headers)
            condition.range = "bytes=0-1"
            assert.equal(304, get(condition).status)
        end
    end))

    it("sends nothing to who expects another", both(function(get)
        for name, value in pairs { ["if-match"] = '"other"',
            ["if-unmodified-since"] = "Sun, 09 Sep 2001 01:46:39 GMT" }
        do
            assert.equal(412, get({ [name] = value }).status)
            assert.equal(412, get({ [name] = value, range = "bytes=0-1" })
                .status)
        end
    end))

    it("sends the empty one whole", site.with(function(dir)
        local handler = static(dir)
        local function status(range)
            return ask(handler, "/nothing.txt", { range = range }).status
        end
        assert.equal(200, status "bytes=-5")
        assert.equal(416, status "bytes=0-")
    end))
end)
