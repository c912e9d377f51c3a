-- links.lua: where the links of a built site lead.
local code = require "docs.site.code"
local disk = require "docs.site.disk"

local links = {}

local function pages(out)
    local found = {}
    for _, path in ipairs(disk.lines("cd " .. out .. " && find . -type f")) do
        path = path:sub(3)
        found[path] = { ids = {}, links = {} }
        if path:find "%.html$" then
            local html = disk.read(out .. "/" .. path)
            for id in html:gmatch '%sid="([^"]*)"' do
                found[path].ids[id] = (found[path].ids[id] or 0) + 1
            end
            for _, name in ipairs { "href", "src" } do
                for link in html:gmatch("%s" .. name .. '="([^"]*)"') do
                    table.insert(found[path].links, code.unescape(link))
                end
            end
        end
    end
    return found
end

local function wrong(found, path, link)
    local to, anchor = disk.resolve(path, link)
    if not found[to] then
        return "no such page"
    elseif anchor ~= "" and not found[to].ids[anchor] then
        return "no such anchor"
    end
end

-- "page: link: why" of each that leads nowhere, and of each anchor that stands
-- twice in a page; and how many links there are.
function links.broken(out)
    local broken, count = {}, 0
    local found = pages(out)
    for path, page in pairs(found) do
        for _, link in ipairs(page.links) do
            if not link:find "^%a[%w+.-]*:" then
                count = count + 1
                local why = wrong(found, path, link)
                if why then
                    broken[#broken + 1] = ("%s: %s: %s"):format(path, link,
                        why)
                end
            end
        end
        for id, times in pairs(page.ids) do
            if times > 1 then
                broken[#broken + 1] = ("%s: #%s stands %d times"):format(path,
                    id, times)
            end
        end
    end
    table.sort(broken)
    return broken, count
end

return links
