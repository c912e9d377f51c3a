local message = require "quoll.http.message"

-- The rest is in spec/bindings/http/{message,fields,read,hijack}_spec.lua.
describe("lua/http/message", function()
    it("has every method that a request has", function()
        local names = {}
        for name in pairs(message.methods) do
            names[#names + 1] = name
        end
        table.sort(names)
        assert.same({ "body", "chunks", "each_header", "form", "header",
            "header_values", "hijack", "json", "multipart", "query_values",
            "trailers", "websocket" }, names)
    end)

    it("names a bad argument", function()
        local ok, err = pcall(message.methods.chunks, {}, 0)
        assert.is_false(ok)
        assert.truthy(err:find "bad argument 'n' to 'chunks'")
    end)
end)
