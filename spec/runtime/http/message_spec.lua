local helper = require "spec.helper"
local corpus = require "spec.support.http_corpus"
local http = require "spec.support.http_message"

describe("runtime/http/message", function()
    for _, case in ipairs(corpus) do
        it("is the same however it is cut: " .. case.name, helper.forked(
            function()
                local whole = http.parse(case.kind, case.text, case.opts)
                http.each_cut(case.text, function(cuts, how)
                    assert.same(whole, http.parse(case.kind, case.text,
                        case.opts, cuts), how)
                end)
            end))
    end

    it("has no body when it is the answer to HEAD", function()
        local text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1"
        local found = http.parse("response", text, { bodyless = true })
        assert.equal(5, found.length)
        assert.is_true(found.keep_alive)
        assert.equal("HTTP/1.1", found.rest)
    end)
end)
