local helper = require "spec.helper"
local zlib = require "quoll.http.zlib"

describe("lua/quoll/http/zlib", function()
    helper.gates()

    it("is the library", function()
        assert.equal(require "zlib", zlib())
    end)

    for what, module in pairs {
        ["nothing"] = "error 'none'",
        ["another module of that name"] = "return { crc = print }",
        ["no module"] = "return 5",
    } do
        it("is nil where there is " .. what, function()
            local ended = helper.script(([[
                package.preload.zlib = function() %s end
                require "quoll"
                print(require "quoll.http.zlib"())
            ]]):format(module))
            assert.equal("nil\n", ended.out)
        end)
    end
end)
