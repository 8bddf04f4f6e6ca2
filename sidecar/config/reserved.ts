/** Name of the local application among the clusters; no upstream may take it. */
export const LOCAL_APPLICATION = 'inbound';
