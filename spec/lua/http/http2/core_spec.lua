local helper = require "spec.helper"

describe("lua/http/http2/core", function()
    it("is the module", function()
        assert.equal(require "quoll.core.http2",
            require "quoll.http.http2.core")
    end)

    it("says that a build has it not", function()
        local ended = helper.script([[
            package.preload["quoll.core.http2"] = nil
            package.cpath = package.cpath:gsub("[^;]*", function(path)
                return path == "" and "" or path
            end)
            local searchers = package.loaders
            table.insert(searchers, 1, function(name)
                if name == "quoll.core.http2" then
                    error("module 'quoll.core.http2' not found", 0)
                end
            end)
            require "quoll"
            print(pcall(require, "quoll.http.http2.core"))
        ]])
        assert.matches("built without QL_HTTP2", ended.out)
    end)
end)
