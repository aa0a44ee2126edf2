import type { UseQueryResult } from "@tanstack/react-query";
import type { SettingsView } from "@/api/types.gen";
import { changeSettings, type SettingChanges } from "@/shared/api-client";
import { queryClient, useRead } from "@/store/query-client";

const PATH = "/api/settings";

export const useSettings = (): UseQueryResult<SettingsView> => useRead<SettingsView>("fixed", PATH);

/** Changes settings, and shows at once what the server says that holds then. */
export const saveSettings = async (changes: SettingChanges): Promise<void> => {
  queryClient.setQueryData(["fixed", PATH], await changeSettings(changes));
  await queryClient.invalidateQueries({ queryKey: ["usage", "/api/storage"] });
};
