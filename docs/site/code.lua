-- code.lua: blocks of code in colour: `highlight` makes all of a site's in one
-- call.
local disk = require "docs.site.disk"

local code = {}

-- What documents call a language -> the ending that `highlight` knows it by.
local endings = {
    c = "c", cmake = "cmake", conf = "conf", dockerfile = "docker",
    html = "html", ini = "ini", js = "js", json = "json", lua = "lua",
    make = "make", nginx = "nginx", service = "ini", sh = "sh",
    systemd = "ini", bash = "sh", xml = "xml", yaml = "yaml",
}

local entities = { amp = "&", lt = "<", gt = ">", quot = '"' }

function code.unescape(html)
    return (html:gsub("&(%a+);", entities))
end

function code.escape(text)
    return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")
        :gsub('"', "&quot;"))
end

-- blocks: a list of { language =, text = }; gives each its html.
function code.highlight(blocks, work)
    disk.run(("rm -rf %s && mkdir -p %s/out"):format(work, work))
    local names = {}
    for i, block in ipairs(blocks) do
        local ending = endings[block.language]
        if ending then
            block.file = ("%d.%s"):format(i, ending)
            disk.write(work .. "/" .. block.file, block.text)
            names[#names + 1] = block.file
        else
            block.html = code.escape(block.text)
        end
    end
    if names[1] then
        disk.write(work .. "/names", table.concat(names, "\n") .. "\n")
        disk.run(("cd %s && xargs highlight -q -O html --fragment "
            .. "--outdir=out/ <names 2>&1"):format(work))
    end
    for _, block in ipairs(blocks) do
        if block.file then
            block.html = disk.read(work .. "/out/" .. block.file .. ".html")
        end
    end
end

return code
