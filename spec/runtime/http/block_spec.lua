local http = require "spec.support.http_message"

local ffi = require "ffi"
local lib = http.lib

local FIELDS = {
    "Host: a\r\n\r\n",
    "Host: [::1]:8\r\nUser-Agent: a (b; c) d/1.0\r\nAccept:\r\n\r\n",
    "x: \t y\r\nhost:A.b:80\r\nConnection: keep-alive\r\n\r\n",
    "Connection: close\r\nHost:\r\n\r\n",
    "Host: a\r\nContent-Length: 0\r\n\r\n",
    "Host: a\r\nContent-Length: 2\r\n\r\nhi",
    "Host: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "Host: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
}
local LINES = { "GET / HTTP/1.1\r\n", "POST /a/b?c HTTP/1.1\r\n",
    "OPTIONS /" .. ("x"):rep(200) .. " HTTP/1.1\r\n", "GET / HTTP/1.0\r\n",
    "CONNECT a:1 HTTP/1.1\r\n", "GET http://b/ HTTP/1.1\r\n",
    "\r\nGET / HTTP/1.1\r\n", "OPTIONS * HTTP/1.1\r\n", "GET /" }

local function block_of(text)
    local block = ffi.new("ql_http_block_t")
    http.parse("request", text, { block = block })
    return block
end

-- The head is taken for what it is, though the one before was another.
local function same(block, text, opts)
    opts = opts or {}
    opts.block = nil
    local alone = http.parse("request", text, opts)
    opts.block = block
    assert.same(alone, http.parse("request", text, opts), text)
    return alone
end

describe("runtime/http/block", function()
    it("is the same behind any request line", function()
        for _, fields in ipairs(FIELDS) do
            for _, first in ipairs(LINES) do
                local block = block_of(first .. fields)
                for _, line in ipairs(LINES) do
                    for _, others in ipairs(FIELDS) do
                        same(block, line .. others)
                    end
                    same(block, line .. fields .. LINES[1] .. fields)
                end
            end
        end
    end)

    it("keeps what says nothing of a body, as far as it has room", function()
        local long = "A: " .. ("x"):rep(1100) .. "\r\n"
        for i, fields in ipairs(FIELDS) do
            assert.equal(i <= 4 and #fields or 0,
                block_of(LINES[1] .. fields).size)
            assert.equal(0, block_of(LINES[1] .. long .. fields).size)
            assert.equal(0, block_of(LINES[1] .. ("A:\r\n"):rep(24) .. fields)
                .size)
        end
    end)

    it("is another one wherever a byte is another", function()
        local text = LINES[1] .. FIELDS[3]
        for i = 1, #text do
            for byte in ("\0\t\n\r !:?/,A0\127\255"):gmatch "." do
                same(block_of(text), text:sub(1, i - 1) .. byte
                    .. text:sub(i + 1))
            end
        end
    end)

    it("is taken only whole, and within the limits", function()
        local text = LINES[2] .. FIELDS[2]
        local block = block_of(text)
        for n = 1, #text - 1 do
            assert.same({ more = true }, same(block, text:sub(1, n)))
        end
        assert.equal(431, same(block, text, { head = #text - 1 }).error)
        assert.equal(431, same(block, text, { fields = 2 }).error)
        assert.equal(414, same(block, text, { line = 18 }).error)
        assert.is_nil(same(block, text, { head = #text, fields = 3, line = 20 })
            .error)
    end)

    it("is what was parsed last", function()
        local block = block_of(LINES[1] .. FIELDS[1])
        local m = ffi.new("ql_http_message_t")
        local limits = ffi.new("ql_http_limits_t", { 8192, 32768, 100 })
        for _, n in ipairs { 1, 2, 2, 3, 1 } do
            local text = LINES[n] .. FIELDS[n]
            lib.ql_http_message_init(m, 0, limits)
            m.block = block
            assert.is_true(lib.ql__http_plain(m, text, #text))
            assert.equal(FIELDS[n], ffi.string(block.bytes, block.size))
            assert.equal(#LINES[n], tonumber(m.first))
        end
    end)
end)
